/** One POST to an address that an admin wrote down: short, without redirects, and never to where only this host may go. */
import { lookup } from 'node:dns';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { contains, mustParsePrefix, parsePrefix } from '@picket/shared/policy/prefix';

const timeoutMs = 5000;

/** Link-local addresses hold the metadata services of clouds, and groups are no receiver. */
const neverReached = ['169.254.0.0/16', 'fe80::/10', '0.0.0.0/8', '::/128', '224.0.0.0/3', 'ff00::/8'].map(
  mustParsePrefix,
);

/** Resolves with the status. Rejects, saying why, where nobody answered in time or nobody there may be asked. */
export function postJson(url: string, body: string, signal: AbortSignal): Promise<number> {
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const problem = isIP(host) === 0 ? undefined : addressProblem(host);
  if (problem !== undefined) return Promise.reject(new Error(problem));
  const options: RequestOptions = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'picket' },
    lookup: lookupAllowed,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  };
  return new Promise((resolve, reject) => {
    const call = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, options, (response) => {
      response.resume();
      response.once('error', reject);
      resolve(response.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end(body);
  });
}

/** The addresses that were looked at are the ones that are connected to. */
const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const problem = addresses.map(({ address }) => addressProblem(address)).find((text) => text !== undefined);
    if (problem !== undefined) return callback(new Error(problem), []);
    const [first] = addresses;
    if (options.all === true || first === undefined) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};

function addressProblem(text: string): string | undefined {
  const address = parsePrefix(text);
  if (address === undefined) return `"${text}" is no address`;
  return neverReached.some((prefix) => contains(prefix, address))
    ? `${text} is link-local or stands for no single host: no webhook may go there`
    : undefined;
}
