/** Devices as the API shows and takes them. */
import { z } from 'zod';
import { Instant, IpAddress, MacAddress, Port, TrafficSource } from './address.ts';
import { DeviceId, GatewayId } from './identifiers.ts';

export const DeviceType = z.enum(['camera', 'sensor', 'hub', 'actuator', 'smart_plug', 'custom']);
export type DeviceType = z.infer<typeof DeviceType>;

export const DeviceProtocol = z.enum(['mqtt', 'coap', 'http', 'tcp', 'udp']);
export type DeviceProtocol = z.infer<typeof DeviceProtocol>;

export const DeviceStatus = z
  .enum(['quarantined', 'under_attack', 'online', 'offline'])
  .describe('Worst first: a quarantine in force, an open alert at or above high, seen lately, silent.');
export type DeviceStatus = z.infer<typeof DeviceStatus>;

export const Device = z
  .object({
    id: DeviceId,
    gateway_id: GatewayId.nullable().describe('Behind which gateway it is; null: not known yet.'),
    name: z.string().describe('Unique over the fleet.'),
    device_type: DeviceType,
    ip_address: IpAddress.nullable().describe('Unique behind its gateway; null: registered by MAC or name only.'),
    mac: MacAddress.nullable(),
    protocol: DeviceProtocol.nullable(),
    port: Port.nullable(),
    status: DeviceStatus,
    traffic_source: TrafficSource.describe('Where its latest traffic came from.'),
    description: z.string(),
    origin: z
      .enum(['registered', 'discovered'])
      .describe('`discovered`: a gateway saw its traffic; `registered`: a person wrote it down.'),
    monitored: z.boolean().describe('Whether its gateway is to watch it.'),
    last_seen_at: Instant.nullable().describe("By the gateway's clock; null: never."),
    threat_count_today: z.int().describe('Alerts opened since midnight UTC.'),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof Device>;

/** `gateway` is what the first API called a hub. */
const DeviceTypeInput = z
  .enum([...DeviceType.options, 'gateway'])
  .transform((type): DeviceType => (type === 'gateway' ? 'hub' : type));

const firstApiSources = { live_capture: 'live', pcap_upload: 'pcap' } as const;

/** With the words of the first API. */
export const TrafficSourceInput = z
  .enum([...TrafficSource.options, 'live_capture', 'pcap_upload'])
  .transform((source): TrafficSource =>
    source in firstApiSources ? firstApiSources[source as 'live_capture'] : (source as TrafficSource),
  );

const deviceMembers = {
  name: z.string().trim().min(1).max(100),
  device_type: DeviceTypeInput,
  ip_address: IpAddress.nullable(),
  mac: z.string().toLowerCase().pipe(MacAddress).nullable(),
  protocol: DeviceProtocol.nullable(),
  port: Port.min(1).nullable(),
  traffic_source: TrafficSourceInput,
  description: z.string().max(1000),
  gateway_id: GatewayId.nullable(),
};

export const NewDevice = z
  .strictObject({
    ...deviceMembers,
    device_type: deviceMembers.device_type.default('custom'),
    ip_address: deviceMembers.ip_address.default(null),
    mac: deviceMembers.mac.default(null),
    protocol: deviceMembers.protocol.default(null),
    port: deviceMembers.port.default(null),
    traffic_source: deviceMembers.traffic_source.default('live'),
    description: deviceMembers.description.default(''),
    gateway_id: deviceMembers.gateway_id.optional().describe('Left out: the only gateway where there is just one.'),
  })
  .meta({ id: 'NewDevice' });
export type NewDevice = z.infer<typeof NewDevice>;

/** Any subset. */
export const DeviceChange = z.strictObject(deviceMembers).partial().meta({ id: 'DeviceChange' });
export type DeviceChange = z.infer<typeof DeviceChange>;

/** What is wanted of a device and what its gateway does. */
export const DeviceLiveStatus = z
  .object({
    id: DeviceId,
    status: DeviceStatus,
    gateway_id: GatewayId.nullable(),
    gateway_online: z.boolean().describe('Whether its gateway is connected now.'),
    last_seen_at: Instant.nullable(),
    source: TrafficSource.nullable().describe('Where its latest flow or prediction came from.'),
    buffer_fill: z.int().min(0).max(10).describe('Flows in its latest scored window, 0 to 10.'),
    monitoring: z
      .object({
        desired: z.boolean().describe('What was asked for.'),
        reported: z.boolean().nullable().describe('What its gateway does; null: not known.'),
      })
      .describe('Whether it is watched as wanted.'),
  })
  .meta({ id: 'DeviceLiveStatus' });
export type DeviceLiveStatus = z.infer<typeof DeviceLiveStatus>;

export const DeviceStats = z
  .object({
    id: DeviceId,
    threats_today: z.int().describe('Alerts opened since midnight UTC.'),
    last_seen_at: Instant.nullable(),
    flows_today: z.int().describe('Since midnight UTC, as counted by the gateway.'),
    predictions_today: z.int().describe('Since midnight UTC, as counted by the gateway.'),
    benign_rate: z
      .number()
      .nullable()
      .describe('Share of predictions that were benign, 0 to 1; null without predictions.'),
  })
  .meta({ id: 'DeviceStats' });
export type DeviceStats = z.infer<typeof DeviceStats>;
