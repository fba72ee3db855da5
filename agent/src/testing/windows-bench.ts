/** The windows of devices in a test: flows are added as they would come from the meter, and what is due is taken. */
import { DeviceRegistry } from '../devices/device-registry.ts';
import { DeviceWindows, type DeviceWindowsOptions } from '../window/device-windows.ts';
import type { WindowContext } from '../window/window-context.ts';
import { flowBatchOf, type FlowRow } from './flow-rows.ts';

/** Zero of a bench: packet time, µs since 1970. */
export const benchStartUs = 1_700_000_000_000_000;

export class WindowsBench {
  readonly devices = new DeviceRegistry();
  readonly windows: DeviceWindows;

  constructor(options: Partial<DeviceWindowsOptions> = {}) {
    this.windows = new DeviceWindows({ source: 'pcap', ...options });
  }

  /** An inbound flow at `atMs` after the start. */
  add(atMs: number, row: Partial<FlowRow> = {}): void {
    const batch = flowBatchOf([
      { src: '203.0.113.5', dst: '192.168.1.20', lastPacketAtUs: benchStartUs + atMs * 1000, ...row },
    ]);
    for (const { device, direction } of this.devices.attribute(batch, 0)) {
      this.windows.add(batch, 0, device, direction);
    }
  }

  take(): readonly WindowContext[] {
    return this.windows.takeDue()?.contexts ?? [];
  }
}
