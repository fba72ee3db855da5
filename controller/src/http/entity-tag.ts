/** `If-Match` against the version of what is changed: nobody overwrites a change they have not seen. */
import { InvalidInput, PreconditionRequired } from '../errors.ts';

export function entityTag(version: number): string {
  return `"${version}"`;
}

/** Undefined for `*`. Throws `PreconditionRequired` where the header is missing. */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) {
    throw new PreconditionRequired('send If-Match with the ETag of what you change, or * to change whatever is there');
  }
  if (ifMatch.trim() === '*') return undefined;
  const match = /^(?:W\/)?"?(\d{1,15})"?$/.exec(ifMatch.trim());
  if (match === null) {
    throw new InvalidInput('If-Match: not an ETag of ours', {
      fields: [{ pointer: '#/header/if-match', detail: 'not an ETag of ours' }],
    });
  }
  return Number(match[1]);
}
