/**
 * Every setting of the controller: one YAML file, over it `PICKET_…` from the environment, over that the command line.
 * Read once, at start; an unknown key is an error that names it. A secret may also come from a file (`…_FILE`).
 */
import { z } from 'zod';

const HostName = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'a host name or address, without port');
const PortNumber = z.coerce.number().int().min(0).max(65535);
const List = <T extends z.ZodType<string, string>>(item: T) =>
  z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(item).max(100),
  );
const Flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());

export const ControllerConfig = z.strictObject({
  /** SQLite database, keys and certificates; made with mode 0700. */
  data_dir: z.string().min(1).default('./.picket'),
  /** `postgres://…`; absent: SQLite in `data_dir`. */
  database_url: z.string().min(1).optional(),
  /** API, reference page and live sockets. Port 0 picks a free one; an absent host is what `listenHost` says. */
  http: z.strictObject({ host: HostName.optional(), port: PortNumber.default(8000) }).prefault({}),
  /** The agents' door: enrolment, snapshots, bundles; TLS under the controller's own CA. */
  agents_https: z.strictObject({ host: HostName.optional(), port: PortNumber.default(8443) }).prefault({}),
  mqtt: z
    .strictObject({
      host: HostName.optional(),
      port: PortNumber.default(8883),
      /** `mqtts://…` of an external broker; absent: the embedded one on `host` and `port`. */
      broker_url: z
        .string()
        .regex(/^mqtts?:\/\//, 'mqtt:// or mqtts://')
        .optional(),
    })
    .prefault({}),
  /**
   * Names under which agents and browsers reach this controller. Any name opens the three doors to the network, but
   * those whose `host` was chosen, and stands in their certificates.
   */
  public_host: List(HostName).default([]),
  /** More names that requests may be addressed to, a proxy's for example. */
  allowed_hosts: List(HostName).default([]),
  /** Origins of web pages that may call the API from a browser. */
  cors_origins: List(z.url()).default([]),
  /** Password of the first admin; absent: generated and printed once. */
  admin_password: z.string().min(12).max(1024).optional(),
  access_token_minutes: z.coerce.number().int().min(1).max(60).default(10),
  refresh_token_days: z.coerce.number().int().min(1).max(90).default(7),
  rate_limit: z
    .strictObject({
      /** Requests per minute of one person or address. */
      requests_per_minute: z.coerce.number().int().min(1).max(1_000_000).default(600),
      /** Log-in attempts per minute of one address. */
      logins_per_minute: z.coerce.number().int().min(1).max(1_000_000).default(10),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
  /** Prometheus text on a listener of its own. */
  metrics: z
    .strictObject({ enabled: Flag.default(true), host: HostName.default('127.0.0.1'), port: PortNumber.default(9464) })
    .prefault({}),
});
export type ControllerConfig = z.infer<typeof ControllerConfig>;
