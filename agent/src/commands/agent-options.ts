/** How every command that talks to a running agent finds it. */
import { type Command, Option } from 'commander';
import { loadAgentConfig } from '../config/agent-config.ts';

export interface AgentOptions {
  readonly config?: string;
  readonly stateDir?: string;
}

export const defaultConfigFile = '/etc/picket/agent.yaml';
const defaultStateDirectory = '/var/lib/picket-agent';

/** `--trust <KEY>`, of commands that load a bundle. */
export function trustOption(): Option {
  const purpose =
    'an Ed25519 public key that may sign model bundles: a file (PEM or JWK) or its 43 characters; may be given again';
  return new Option('--trust <KEY>', purpose)
    .argParser((key: string, before: string[]) => [...before, key])
    .default([], 'none');
}

export function withAgentOptions(command: Command): Command {
  return command
    .option('--config <FILE>', 'the configuration the agent runs with; names its state directory')
    .option(
      '--state-dir <DIR>',
      `state directory of the agent (default: the configuration's, or ${defaultStateDirectory})`,
    );
}

export function stateDirectoryOf(options: AgentOptions): string {
  if (options.stateDir !== undefined) return options.stateDir;
  if (options.config !== undefined) return loadAgentConfig(options.config, process.env).state_dir;
  return process.env['PICKET_AGENT_STATE_DIR'] ?? defaultStateDirectory;
}
