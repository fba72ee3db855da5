/**
 * What may never be cut. The guard protects conversations, not destinations: a rule that accepted everything to the
 * gateway's own address would let a blocked host reach it.
 */

/** Prefixes and addresses are canonical text; IPv4 and IPv6 mixed. */
export interface Guard {
  /** The gateway's own conversations, on input and output: with the controller and broker (address and port). */
  readonly controllers: readonly { readonly address: string; readonly port: number }[];
  /** Resolvers and time servers the gateway uses. */
  readonly dnsServers: readonly string[];
  readonly ntpServers: readonly string[];
  /** Prefixes that keep their way to the management ports of the gateway. */
  readonly adminPrefixes: readonly string[];
  readonly managementPorts: readonly number[];
  /** Hosts or prefixes whose forwarded conversations are never cut: the owner's list. */
  readonly neverBlock: readonly string[];
  /** The gateway's own addresses: refused as values of a decision, not accepted wholesale. */
  readonly ownAddresses: readonly string[];
  /** Next hops of the default routes: refused as values. */
  readonly defaultRoutes: readonly string[];
}
