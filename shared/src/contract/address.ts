/** Addresses, ports and MACs as they stand on the wire: canonical text. */
import { z } from 'zod';

export const IpAddress = z.union([z.ipv4(), z.ipv6()]).describe('IPv4 or IPv6 in canonical text.');
export type IpAddress = z.infer<typeof IpAddress>;

export const Port = z.int().min(0).max(65535);

export const MacAddress = z
  .string()
  .regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/, 'six pairs of lower-case hex digits with colons')
  .describe('Lower case, colons: `02:42:ac:11:00:02`.');

export const Instant = z.iso.datetime().describe('RFC 3339 instant in UTC.');

/** A device as a gateway knows it; the controller gives it an id. */
export const DeviceRef = z.strictObject({
  address: IpAddress.describe('As its flows show it.'),
  mac: MacAddress.nullable().describe('Null where no frame of its own was seen.'),
});
export type DeviceRef = z.infer<typeof DeviceRef>;

export const FlowDirection = z.enum(['inbound', 'outbound', 'internal']).describe('Seen from the device: who began.');
export type FlowDirection = z.infer<typeof FlowDirection>;

export const TrafficSource = z
  .enum(['live', 'pcap', 'simulated', 'api'])
  .describe(
    'Where packets came from. Marked all the way to the API, so that a replay is never taken for live traffic.',
  );
export type TrafficSource = z.infer<typeof TrafficSource>;
