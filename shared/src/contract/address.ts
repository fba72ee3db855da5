/** Addresses, ports and MACs as they stand on the wire: canonical text. */
import { z } from 'zod';

/** IPv4 or IPv6 in canonical text. */
export const IpAddress = z.union([z.ipv4(), z.ipv6()]);
export type IpAddress = z.infer<typeof IpAddress>;

export const Port = z.int().min(0).max(65535);

/** Lower case, colons: `02:42:ac:11:00:02`. */
export const MacAddress = z
  .string()
  .regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/, 'six pairs of lower-case hex digits with colons');

/** RFC 3339 instant in UTC. */
export const Instant = z.iso.datetime();

/** A device as a gateway knows it; the controller gives it an id. */
export const DeviceRef = z.strictObject({ address: IpAddress, mac: MacAddress.nullable() });
export type DeviceRef = z.infer<typeof DeviceRef>;

/** Seen from the device: who began. */
export const FlowDirection = z.enum(['inbound', 'outbound', 'internal']);
export type FlowDirection = z.infer<typeof FlowDirection>;

/** Where packets came from. Marked all the way to the API, so that a replay is never taken for live traffic. */
export const TrafficSource = z.enum(['live', 'pcap', 'simulated', 'api']);
export type TrafficSource = z.infer<typeof TrafficSource>;
