/**
 * Which services an attack of a class can be on. The network sees no port number, lest it learn the ports of a laboratory;
 * a name that it gives is held against them afterwards: nobody guesses passwords of ssh on a port that is known for web
 * pages. A port that is known for nothing may be anything's.
 */
import { trafficClasses } from '../features/traffic-classes.ts';
import { talksOutward, type AttackClass, type JudgedFlow, type JudgedWindow } from './judged-window.ts';

const web = [80, 443, 8000, 8080, 8443];
const owned: Partial<Record<AttackClass, readonly number[]>> = {
  brute_force_ssh: [22, 2222],
  brute_force_ftp: [21, 2121],
  web_xss: web,
  web_sqli: web,
};
/** Mail, names, time, management, files, video, messages, databases. */
const others = [
  23, 25, 53, 67, 68, 69, 110, 123, 143, 161, 389, 445, 465, 514, 554, 587, 853, 993, 995, 1883, 1900, 3306, 3389, 5060,
  5353, 5432, 5683, 5684, 8554, 8883,
];
const known: ReadonlySet<number> = new Set([...Object.values(owned).flat(), ...others]);
const tcp = 6;
/**
 * Below this share of a window, ports of no known service are the far ends of conversations that it saw the end of, each
 * another one …
 */
const minUnknown = 0.3;
/** … but where so many conversations were begun with the same one, something is served there. */
const minServed = 2;

/**
 * 1: a port of the service that the class attacks; 0: of another service; ½: of none that is known. Undefined where the
 * class attacks no service in particular.
 */
export function servicePortFit(attack: AttackClass, port: number): 0 | 0.5 | 1 | undefined {
  const own = owned[attack];
  if (own === undefined) return undefined;
  if (own.includes(port)) return 1;
  return known.has(port) ? 0 : 0.5;
}

/** A port that something is known to be served on, or one of those that are kept for services. */
export function isServicePort(port: number): boolean {
  return port < 1024 || known.has(port);
}

type FittingFlow = Pick<JudgedFlow, 'protocol' | 'srcIp' | 'dstIp' | 'dstPort' | 'direction' | 'synPackets'>;

/** False where the flows cannot be part of such an attack on, or by, the device. True of a window without flows. */
export function fitsFlows(attack: AttackClass, device: string, flows: readonly FittingFlow[]): boolean {
  if (flows.length === 0) return true;
  if (talksOutward(attack)) {
    return flows.some(({ direction, srcIp }) => direction === 'outbound' || srcIp === device);
  }
  if (servicePortFit(attack, 0) === undefined) return true;
  const onTcp = flows.filter(({ protocol }) => protocol === tcp);
  if (onTcp.some(({ dstPort }) => servicePortFit(attack, dstPort) === 1)) return true;
  const unknown = onTcp.filter(({ dstPort }) => servicePortFit(attack, dstPort) === 0.5);
  return unknown.length >= minUnknown * flows.length || areServed(unknown);
}

/** What is shown without its SYN may be the rest of a conversation that the other end began. */
function areServed(flows: readonly FittingFlow[]): boolean {
  const begun = flows.filter(({ synPackets = 1 }) => synPackets > 0);
  const services = Map.groupBy(begun, ({ srcIp, dstIp, dstPort }) => `${srcIp} ${dstIp} ${dstPort}`);
  return [...services.values()].some((own) => own.length >= minServed);
}

/**
 * The likeliest attack of these probabilities (in the order of the classes), whatever a threshold says, among those that
 * the window's flows can be.
 */
export function likeliestAttack(
  probabilities: readonly number[],
  { device, flows }: Pick<JudgedWindow, 'device' | 'flows'>,
): AttackClass {
  let best: AttackClass = 'other_attack';
  let highest = -1;
  for (const [index, candidate] of trafficClasses.entries()) {
    const probability = probabilities[index] ?? 0;
    if (candidate !== 'benign' && probability > highest && fitsFlows(candidate, device.address, flows)) {
      best = candidate;
      highest = probability;
    }
  }
  return best;
}
