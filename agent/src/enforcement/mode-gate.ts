/**
 * The one gate for observe, simulate and enforce. Every decision of every origin passes it: what a rule, a person or
 * the fleet asks for may be gentler than what the gateway may do, never harsher.
 */
import type { Mode } from '@picket/shared/contract/decision';

const gentlestFirst: readonly Mode[] = ['observe', 'simulate', 'enforce'];

/** The gentler of what is asked for and what the gateway may do. */
export function passModeGate(asked: Mode, gateway: Mode): Mode {
  return gentlestFirst.indexOf(asked) < gentlestFirst.indexOf(gateway) ? asked : gateway;
}
