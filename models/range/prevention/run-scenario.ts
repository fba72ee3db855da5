/** One scenario from nothing to nothing: whatever happens, its namespaces, programs and files are gone afterwards. */
import { Field } from './field.ts';
import type { NamedScenario } from './scenario.ts';
import type { ScenarioResult } from './scenario-result.ts';
import type { Collateral } from './steady-client.ts';

const defaultLimitSeconds = 300;

/** Never rejects for the scenario's sake. When the signal aborts it ends soon, failed. */
export async function runScenario(scenario: NamedScenario, signal: AbortSignal): Promise<ScenarioResult> {
  const began = performance.now();
  const limitSeconds = scenario.limitSeconds ?? defaultLimitSeconds;
  const given = AbortSignal.any([signal, AbortSignal.timeout(limitSeconds * 1000)]);
  let field: Field | undefined;
  let collateral: Collateral | null = null;
  let error: string | null = null;
  try {
    signal.throwIfAborted();
    field = await Field.open(scenario);
    await orAborted(scenario.run(field), given, limitSeconds);
    collateral = await field.stopClient();
  } catch (caught) {
    error = (caught instanceof Error ? caught.message : String(caught)).slice(0, 3000);
  }
  const expectations = field?.expectations ?? [];
  const isUnhurt = collateral !== null && collateral.lost === 0 && collateral.kept_cut === 0;
  const passed = error === null && isUnhurt && expectations.length > 0 && expectations.every(({ met }) => met);
  const agents = passed || field === undefined ? '' : await field.describeAgents();
  await field?.[Symbol.asyncDispose]();
  return {
    name: scenario.name,
    kind: 'prevention',
    group: scenario.group,
    passed,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    expectations,
    attack_to_drop_ms: field?.attackToDropMs ?? null,
    fifth_failed_login_to_drop_ms: field?.fifthFailureToDropMs ?? null,
    collateral,
    error,
    agents,
  };
}

/** The work goes on unheard when it is left; what it stands on is taken away. */
async function orAborted(work: Promise<void>, signal: AbortSignal, limitSeconds: number): Promise<void> {
  work.catch(() => undefined);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    const { reason } = signal;
    const isLimit = reason instanceof DOMException && reason.name === 'TimeoutError';
    reject(isLimit ? new Error(`not done within its ${limitSeconds} s`) : reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
