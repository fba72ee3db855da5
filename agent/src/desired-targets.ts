/** What the controller's wishes do to this agent: which part takes which member of a policy, and what is told of it. */
import type { Rule } from '@picket/shared/contract/rule';
import type { Policy } from '@picket/shared/contract/twin';
import type { AgentConfig } from './config/agent-config.ts';
import type { Guard } from './enforcement/guard.ts';
import { unblock } from './enforcement/unblock.ts';
import { joinGuards } from './gateway-guard.ts';
import type { Reporter } from './report/reporter.ts';
import type { DesiredTargets } from './twin/apply-desired.ts';
import type { BundleFollower } from './twin/follow-bundle.ts';
import { ownRules, type Watch } from './watch.ts';

/** What is to be guarded under the policy in force; the addresses it stands for may change while the policy does not. */
export interface PolicySettings {
  guard: AgentConfig['guard'] | undefined;
}

export interface DesiredTargetsParts {
  readonly config: AgentConfig;
  readonly watch: Watch;
  readonly reporter: Reporter;
  readonly bundles: BundleFollower;
  /** Written here, read by what keeps the guard up to date. */
  readonly settings: PolicySettings;
  /** The guard that these settings make on this host. */
  readonly guardOf: (settings: AgentConfig['guard']) => Promise<Guard>;
}

/** What both a policy and the gateway's own file say. */
interface PolicyContent extends Pick<Policy, 'guard' | 'mode' | 'threshold' | 'unmonitored'> {
  readonly rules: readonly Rule[];
  readonly benignSample: number;
  readonly bundle: Policy['bundle'] | undefined;
}

export function desiredTargets(parts: DesiredTargetsParts): DesiredTargets {
  const { config, watch, reporter, guardOf, settings, bundles } = parts;
  const { enforcer, model } = watch;
  let problemBefore: string | undefined;
  // the guard first: it is the only part that may be refused
  const apply = async (wanted: PolicyContent): Promise<void> => {
    const guard = await guardOf(wanted.guard);
    problemBefore = enforcer.problem;
    await watch.useGuard(guard);
    watch.verdicts.useRules(wanted.rules);
    model.usePolicyThreshold(wanted.threshold);
    watch.registry.ignore(wanted.unmonitored);
    reporter.useBenignSample(wanted.benignSample);
    await enforcer.useMode(wanted.mode);
    bundles.want(wanted.bundle);
  };
  return {
    async applyPolicy(policy: Policy): Promise<void> {
      const guard = joinGuards(config.guard, policy.guard);
      await apply({ ...policy, guard, benignSample: policy.report.benign_sample, bundle: policy.bundle });
      settings.guard = guard;
    },
    async applyOwnSettings(): Promise<void> {
      const { guard, rules, mode, report } = config;
      settings.guard = undefined;
      await apply({
        guard,
        rules: ownRules({ rules }),
        mode,
        threshold: null,
        unmonitored: [],
        benignSample: report.benign_sample,
        bundle: undefined,
      });
    },
    async verifyPolicy(): Promise<string | undefined> {
      await enforcer.check();
      const { problem } = enforcer;
      // a kernel that failed before fails not because of this policy
      if (problem !== undefined && problemBefore === undefined) throw new Error(problem);
      return problem === undefined ? undefined : `not in the kernel: ${problem}`;
    },
    addDecisions: (decisions) => enforcer.add(decisions),
    removeDecisions: (ids, reason) => enforcer.remove(ids, reason),
    missingDecisions: () => enforcer.missing,
    unblock: (order) => unblock(enforcer, order, (mac) => watch.registry.addressesOf(mac)),
    proveUnblock: (proof) => reporter.onUnblock(proof),
    facts: () => ({
      mode: enforcer.mode,
      model_version: model.reference.version,
      bundle: bundles.reported,
      threshold: watch.pipeline.threshold,
      in_force: enforcer.stats.in_force,
      guarded: {
        own: enforcer.guard.ownAddresses.slice(0, 200),
        default_routes: enforcer.guard.defaultRoutes.slice(0, 50),
        broadcasts: enforcer.guard.broadcastAddresses.slice(0, 200),
      },
    }),
  };
}
