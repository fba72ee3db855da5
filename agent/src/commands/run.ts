/** `picket-agent run`: the daemon. */
import { Command } from 'commander';
import { pino, type Logger } from 'pino';
import { runAgent } from '../agent.ts';
import { loadAgentConfig } from '../config/agent-config.ts';
import { privilegedChannel } from '../config/privileged-channel.ts';
import { keepHeapsSmall } from '../memory-plan.ts';
import { HelperLink } from '../privileged/helper-link.ts';
import { planSeparation } from '../privileged/rights.ts';
import { becomeHelper } from '../privileged/separate.ts';
import { defaultConfigFile, trustOption } from './agent-options.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('watch an interface (or replay files) until stopped')
    .option('--config <FILE>', 'YAML; deploy/agent.yaml is an example', defaultConfigFile)
    .option('--check-config', 'only say whether the configuration is right')
    .addOption(trustOption())
    .action(async (options: { readonly config: string; readonly checkConfig?: boolean; readonly trust: string[] }) => {
      const loaded = loadAgentConfig(options.config, process.env);
      const config = { ...loaded, model: { ...loaded.model, trust: [...loaded.model.trust, ...options.trust] } };
      if (options.checkConfig === true) {
        console.log(`${options.config} is right`);
        return;
      }
      const log = pino({ level: config.log.level });
      const descriptor = privilegedChannel(process.env);
      if (descriptor === undefined && config.capture.source === 'live') {
        const separation = planSeparation();
        if (separation.isPossible) becomeHelper(separation);
        log.warn(`one process holds every right: ${separation.reason}`);
      }
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(name));
      keepHeapsSmall();
      await using helper = descriptor === undefined ? undefined : await openHelper(descriptor, stop, log);
      await runAgent(config, log, stop.signal, helper);
    });
}

function openHelper(descriptor: number, stop: AbortController, log: Logger): Promise<HelperLink> {
  return HelperLink.open(descriptor, {
    onStop: (signal) => stop.abort(signal),
    onWarning: (text) => log.warn(text),
    onClose: () => stop.abort('the process that holds the rights is gone'),
  });
}
