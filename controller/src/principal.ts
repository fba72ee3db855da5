/** Who is asking: the signed-in person behind a request, as services and the audit log see them. */
import type { Role } from '@picket/shared/contract/access';
import type { UserId } from '@picket/shared/contract/identifiers';

export interface Principal {
  readonly userId: UserId;
  readonly username: string;
  readonly role: Role;
  /** The log-in this request belongs to. */
  readonly sessionId: string;
  readonly tokenId: string;
  /** When the access token ends, epoch milliseconds. */
  readonly expiresAt: number;
}
