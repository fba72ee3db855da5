/** `picket-controller enroll-token`: a one-time token for one gateway, alone on stdout, so that scripts can take it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { AuthorityRepository } from '../authority/authority-repository.ts';
import { AuthorityService, defaultTokenSeconds } from '../authority/authority-service.ts';
import { CertificateAuthority } from '../authority/certificate-authority.ts';
import { SigningKey } from '../authority/signing-key.ts';
import type { ControllerConfig } from '../config/controller-config.ts';
import { listenHost } from '../config/listen-host.ts';
import { doorsFile } from '../controller.ts';
import { StartFailure, exitCodes } from '../errors.ts';
import { configFrom, withDoors } from './options.ts';
import { operatorAtTerminal, withServices } from './with-services.ts';

const Door = z.object({ host: z.string(), port: z.int() });
const Doors = z.object({ https: Door, mqtt: Door });
type Doors = z.infer<typeof Doors>;

interface Options {
  readonly gatewayId?: string;
  readonly minutes: string;
  readonly agentsPort?: string;
  readonly publicHost?: readonly string[];
}

export function addEnrollToken(program: Command): void {
  withDoors(program.command('enroll-token'))
    .description('make a token that enrols one gateway')
    .option('--gateway-id <name>', 'the only name it is good for; needed to enrol a name again')
    .option('--minutes <minutes>', 'how long it is good', String(defaultTokenSeconds / 60))
    .action(async (options: Options & Parameters<typeof configFrom>[0]) => {
      const gatewayId = options.gatewayId === undefined ? null : checked(GatewayId, options.gatewayId, '--gateway-id');
      const minutes = checked(z.coerce.number().int().min(1).max(10_080), options.minutes, '--minutes');
      const config = await configFrom(options);
      const folder = join(config.data_dir, 'authority');
      const made = await withServices(config, async ({ database, audit }) => {
        const authority = new AuthorityService({
          repository: new AuthorityRepository(database),
          authority: await CertificateAuthority.open(folder),
          signingKey: await SigningKey.open(folder, 'signing-key.json'),
          bundleKey: await SigningKey.open(folder, 'bundle-key.json'),
          folder,
          doors: () => doorsOf(config, options),
          onRevoked: () => {},
        });
        const { token, id } = await authority.createToken({
          gatewayId,
          lifetimeSeconds: minutes * 60,
          createdBy: operatorAtTerminal.username,
        });
        const what = 'gateway.enrolment-token';
        await audit.record({
          actor: operatorAtTerminal,
          what,
          onWhat: `enrolment ${id}`,
          after: { gatewayId, minutes },
        });
        return token;
      });
      console.log(made);
    });
}

/** Where agents find the controller: as said here, else as the running controller wrote it down, else by the settings. */
function doorsOf(config: ControllerConfig, options: Options): Doors {
  const { agents_https: https, mqtt, public_host: names } = config;
  const host = names[0];
  const bySettings = {
    https: { host: host ?? listenHost(https.host, names), port: https.port },
    mqtt: { host: host ?? listenHost(mqtt.host, names), port: mqtt.port },
  };
  if (options.publicHost !== undefined) return bySettings;
  const running = runningDoors(config.data_dir) ?? bySettings;
  if (options.agentsPort === undefined) return running;
  return { ...running, https: { ...running.https, port: https.port } };
}

function runningDoors(dataDir: string): Doors | undefined {
  try {
    return Doors.parse(JSON.parse(readFileSync(join(dataDir, doorsFile), 'utf8')));
  } catch {
    return undefined; // never served from this folder yet
  }
}

function checked<T extends z.ZodType>(schema: T, value: string, option: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StartFailure(`${option}: ${parsed.error.issues[0]?.message ?? 'not valid'}`, exitCodes.usage);
}
