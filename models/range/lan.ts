/** The two halves of a LAN: devices on the bridge's cable, and devices behind the radio, each with its own stack. */
import type { Namespace } from './namespace.ts';
import { type DevicePlan, type SitePlan, address6Of, addressOf } from './plan/site-plan.ts';

/** Each device has a routing table: those of a half are numbered from here, in the order of the plan. */
export const firstTable = 100;

/** Addresses, routes and stacks of devices that share the namespace; `eth0` exists. */
export async function settle(namespace: Namespace, site: SitePlan, devices: readonly DevicePlan[]): Promise<void> {
  const commands = ['link set eth0 up'];
  for (const [index, device] of devices.entries()) {
    const address = addressOf(site, device);
    const long = address6Of(site, device);
    const { hopLimit, segment, window, initialSegments } = device.stack;
    const metrics = [
      `hoplimit ${hopLimit} advmss ${segment}`,
      window > 0 ? `window ${window}` : '',
      initialSegments > 0 ? `initcwnd ${initialSegments}` : '',
    ].join(' ');
    const table = firstTable + index;
    commands.push(
      `address add ${address}/24 dev eth0`,
      `route add ${site.lan}.0/24 dev eth0 src ${address} table ${table} ${metrics}`,
      `route add default via ${site.lan}.1 dev eth0 src ${address} table ${table} ${metrics}`,
      `rule add from ${address} lookup ${table}`,
    );
    if (long !== null) {
      commands.push(
        `-6 address add ${long}/64 dev eth0 nodad`,
        `-6 route add ${site.lan6}/64 dev eth0 src ${long} table ${table} hoplimit ${hopLimit} advmss ${segment - 20}`,
        `-6 route add default via ${site.lan6}1 dev eth0 src ${long} table ${table} hoplimit ${hopLimit} advmss ${segment - 20}`,
        `-6 rule add from ${long} lookup ${table}`,
      );
    }
  }
  commands.push(`route add default via ${site.lan}.1 dev eth0`, 'route add 224.0.0.0/4 dev eth0');
  if (site.lan6 !== null) commands.push(`-6 route add default via ${site.lan6}1 dev eth0`);
  await namespace.ip(commands);
}
