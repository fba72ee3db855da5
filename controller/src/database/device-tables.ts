/** The things on the gateways' LANs, registered by people or discovered: migration 0003. */

export interface DeviceTables {
  devices: DeviceRow;
}

export interface DeviceRow {
  id: string;
  gateway_id: string | null;
  /** Unique over the fleet. */
  name: string;
  device_type: string;
  /** Null: registered by MAC or name only. Unique within a gateway. */
  ip_address: string | null;
  mac: string | null;
  protocol: string | null;
  port: number | null;
  traffic_source: string;
  description: string;
  origin: 'registered' | 'discovered';
  /** 0: its gateway is not to watch it. */
  monitored: number;
  last_seen_at: string | null;
  created_at: string;
  updated_at: string;
}
