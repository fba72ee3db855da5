/** `picket-agent enroll`: makes this host a gateway of the controller that gave the token. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { AgentError } from '../errors.ts';
import { enrol } from '../identity/enrol.ts';
import { identityPath } from '../identity/gateway-identity.ts';
import { agentVersion } from '../version.ts';
import { stateDirectoryOf, withAgentOptions, type AgentOptions } from './agent-options.ts';

interface EnrollOptions extends AgentOptions {
  readonly token: string;
  readonly gatewayId?: string;
  readonly controller?: string;
  readonly replace: boolean;
}

export function enrollCommand(): Command {
  return withAgentOptions(
    new Command('enroll').description('make this host a gateway of the controller that gave the token'),
  )
    .requiredOption('--token <token>', 'the line that `picket-controller enroll-token` printed')
    .option('--gateway-id <name>', 'name of this gateway: lower-case letters, digits, hyphens (default: host name)')
    .option('--controller <url>', "another way to the controller's door for agents than the token's")
    .option('--replace', 'enrol anew although this host has an identity', false)
    .action(async (flags: EnrollOptions) => {
      const stateDir = stateDirectoryOf(flags);
      const identity = await enrol({
        token: flags.token,
        gatewayId: gatewayIdOf(flags.gatewayId),
        stateDir,
        replace: flags.replace,
        controllerUrl: checkedUrl(flags.controller),
        agentVersion,
      });
      process.stdout.write(`enrolled as ${identity.gateway_id}; identity in ${identityPath(stateDir)}\n`);
    });
}

function gatewayIdOf(given: string | undefined): GatewayId {
  const candidate =
    given ??
    hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-')
      .slice(0, 64)
      .replaceAll(/^-+|-+$/g, '');
  const parsed = GatewayId.safeParse(candidate);
  if (parsed.success) return parsed.data;
  throw new AgentError('usage', `--gateway-id ${candidate}: ${parsed.error.issues[0]?.message ?? 'not a name'}`);
}

function checkedUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return text;
  throw new AgentError('usage', `--controller ${text}: an https:// address, e.g. https://controller.example:8443`);
}
