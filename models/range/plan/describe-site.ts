/** What a site is made of, in a line of the manifest: enough to see what validation and test have that training has not. */
import { planSiteByName } from './plan-site.ts';

export interface SiteDescription {
  readonly site: string;
  readonly seed: number;
  readonly access: string;
  readonly isTranslated: boolean;
  readonly hasIpv6: boolean;
  /** Counts of device kinds, of programs that serve, of what closed ports do, and of conversations. */
  readonly devices: Readonly<Record<string, number>>;
  readonly services: Readonly<Record<string, number>>;
  readonly filters: Readonly<Record<string, number>>;
  readonly conversations: Readonly<Record<string, number>>;
}

/** Whether a name is that of a site drawn from a seed: older captures have others. */
export const isPlanned = (name: string): boolean => /^(train|validation|test|demo)-\d+$/.test(name);

export function describeSite(name: string): SiteDescription {
  const plan = planSiteByName(name);
  const { wired, wireless, outside } = plan.conversations;
  return {
    site: plan.name,
    seed: plan.seed,
    access: plan.access,
    isTranslated: plan.isTranslated,
    hasIpv6: plan.lan6 !== null,
    devices: counted(plan.devices.map(({ role }) => role)),
    services: counted(
      plan.devices.flatMap(({ services }) => services.map(({ kind, software }) => `${kind} ${software}`)),
    ),
    filters: counted(plan.devices.map((device) => device.filter)),
    conversations: counted(
      [...wired, ...wireless, ...outside].map(({ kind, isTls }) => (isTls ? `${kind} TLS` : kind)),
    ),
  };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
