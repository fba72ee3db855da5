/** `picket-agent status`: what the running agent sees, holds and loses. */
import { Command } from 'commander';
import { askAgent } from '../control/control-client.ts';
import type { AgentStatus } from '../agent.ts';
import { stateDirectoryOf, withAgentOptions, type AgentOptions } from './agent-options.ts';

export function statusCommand(): Command {
  return withAgentOptions(new Command('status').description('what the running agent sees, holds and loses'))
    .option('--json', 'one JSON object')
    .action(async (options: AgentOptions & { readonly json?: boolean }) => {
      const status = await askAgent<AgentStatus>(stateDirectoryOf(options), 'GET', '/status');
      console.log(options.json === true ? JSON.stringify(status) : describe(status));
    });
}

/** Only what needs a person's eye; the log says why. */
function troubles(enforcement: AgentStatus['health']['enforcement']): string {
  const {
    refused,
    failed,
    drift_repairs,
    gap_ms_max,
    monitor_restarts,
    held_open,
    unexpected_ends,
    unsaved,
    policy_unsaved,
    fail_policy,
  } = enforcement;
  return [
    held_open === true ? '; HELD OPEN by its owner: `picket-agent fail-open --resume` ends it' : '',
    unsaved !== undefined && unsaved > 0
      ? `; ${unsaved} NOT ON DISK and unknown to the agent after a restart: free space where \`state_dir\` is`
      : '',
    policy_unsaved !== undefined && policy_unsaved > 0
      ? '; THE POLICY IS NOT ON DISK and undone by a restart: free space where `state_dir` is'
      : '',
    refused > 0 ? `; ${refused} refused` : '',
    failed > 0 ? `; ${failed} failed calls of the firewall: \`picket-agent doctor\` says more` : '',
    drift_repairs > 0
      ? `; ${drift_repairs} repairs after somebody changed the kernel's table (the longest gap ${gap_ms_max ?? 0} ms)`
      : '',
    monitor_restarts !== undefined && monitor_restarts > 0
      ? `; \`nft monitor\` was started again ${monitor_restarts} times: without it such changes are seen within 10 s`
      : '',
    unexpected_ends !== undefined && unexpected_ends > 0
      ? `; ended ${unexpected_ends} times without being stopped (fail_policy: ${fail_policy ?? 'keep'})`
      : '',
  ].join('');
}

function wanted({ bundle }: AgentStatus['model']): string {
  if (bundle?.desired == null || bundle.step === 'verified') return '';
  return `; ${bundle.desired.version} is wanted: ${bundle.step}${bundle.detail === null ? '' : ` (${bundle.detail})`}`;
}

/** What happens to nobody every day. */
function oddTimes({ late_packets, time_steps }: AgentStatus['health']['flows']): string {
  const late = late_packets === undefined || late_packets === 0 ? '' : `; ${late_packets} packets after the end`;
  return time_steps === undefined || time_steps === 0 ? late : `${late}; the clock was set back ${time_steps} times`;
}

function describeMemory(memory: NonNullable<AgentStatus['health']['memory']>, rssBytes: number): string {
  const mib = (bytes: number): number => Math.round(bytes / 1_048_576);
  const given = memory.shedding.length === 0 ? '' : `; given up just now: ${memory.shedding.join(', ')}`;
  const short = memory.shed_times === 0 ? '' : `; ran short ${memory.shed_times} times`;
  const past = memory.withheld === 0 ? short : `${short}; ${memory.withheld} reports withheld`;
  return `memory       ${mib(rssBytes)} MiB of ${mib(memory.max_bytes)}, ${mib(memory.peak_rss_bytes)} at the most${past}${given}`;
}

/** A line only where a table was full. */
function describeForgotten(forgotten: NonNullable<AgentStatus['health']['forgotten']>): string[] {
  const some = Object.entries(forgotten).filter(([, times]) => times > 0);
  return some.length === 0 ? [] : [`forgotten    ${some.map(([what, times]) => `${times} ${what}`).join(', ')}`];
}

function describeGuard({ controllers, resolvers, time_servers, next_hops }: AgentStatus['guarded']): string {
  const listed = (what: string, list: readonly string[]): string =>
    `${what} ${list.length === 0 ? 'unknown' : list.join(', ')}`;
  return [
    ...(controllers.length === 0 ? [] : [listed('controller', controllers)]),
    listed('resolvers', resolvers),
    listed('time servers', time_servers),
    listed('next hops', next_hops),
  ].join('; ');
}

function describe({ gateway_id, mode, controller, model, guarded, health }: AgentStatus): string {
  const { capture, flows, detection, enforcement, outbox, memory, forgotten } = health;
  const lost = capture.dropped_kernel + flows.dropped + detection.dropped + outbox.dropped;
  return [
    `gateway      ${gateway_id ?? 'not enrolled'}, mode ${mode}, up ${Math.round(health.uptime_seconds)} s, ${Math.round(health.rss_bytes / 1_048_576)} MiB`,
    `controller   ${controller}`,
    `model        ${model.version}, threshold ${model.threshold}${wanted(model)}`,
    `capture      ${capture.interface}: ${capture.packets} packets, ${capture.dropped_kernel} dropped by the kernel, ${capture.undecodable} undecodable`,
    `flows        ${flows.active} live, ${flows.ended} ended, ${flows.evicted} evicted, ${flows.dropped} dropped; ${health.devices} devices${oddTimes(flows)}`,
    `detection    ${detection.predictions} predictions, ${detection.attacks} attacks, ${detection.latency_ms_mean.toFixed(2)} ms each`,
    `enforcement  ${enforcement.in_force} decisions in force, ${enforcement.packets_dropped} packets dropped, ${enforcement.packets_would_drop} would have been${troubles(enforcement)}`,
    `guarded      ${describeGuard(guarded)}`,
    `outbox       ${outbox.rows} events waiting (${outbox.bytes} bytes), ${outbox.dropped} dropped`,
    ...(memory === undefined ? [] : [describeMemory(memory, health.rss_bytes)]),
    ...(forgotten === undefined ? [] : describeForgotten(forgotten)),
    lost === 0 ? 'nothing was lost' : `lost so far  ${lost} (packets, flows, windows and events together)`,
  ].join('\n');
}
