/** `picket-agent run`: the daemon. */
import { Command } from 'commander';
import { pino } from 'pino';
import { runAgent } from '../agent.ts';
import { loadAgentConfig } from '../config/agent-config.ts';
import { keepHeapsSmall } from '../memory-plan.ts';
import { defaultConfigFile, trustOption } from './agent-options.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('watch an interface (or replay files) until stopped')
    .option('--config <FILE>', 'YAML; deploy/agent.yaml is an example', defaultConfigFile)
    .option('--check-config', 'only say whether the configuration is right')
    .option(...trustOption)
    .action(async (options: { readonly config: string; readonly checkConfig?: boolean; readonly trust: string[] }) => {
      const loaded = loadAgentConfig(options.config, process.env);
      const config = { ...loaded, model: { ...loaded.model, trust: [...loaded.model.trust, ...options.trust] } };
      if (options.checkConfig === true) {
        console.log(`${options.config} is right`);
        return;
      }
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(name));
      keepHeapsSmall();
      await runAgent(config, pino({ level: config.log.level }), stop.signal);
    });
}
