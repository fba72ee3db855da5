/** Options that several commands share, and how they become settings. */
import { Option, type Command } from 'commander';
import type { ControllerConfig } from '../config/controller-config.ts';
import { loadConfig } from '../config/load-config.ts';

interface ConfigOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly agentsPort?: string;
  readonly mqttPort?: string;
  readonly port?: string;
  readonly host?: string;
  readonly publicHost?: readonly string[];
  readonly logLevel?: string;
}

/** For commands that open the database. */
export function withConfig(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'YAML file with settings').env('PICKET_CONFIG'))
    .option('--data-dir <folder>', 'where database, keys and certificates are (default ./.picket)')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent');
}

/** For commands that say under which names and ports agents find the controller. */
export function withDoors(command: Command): Command {
  return withConfig(command)
    .option('--agents-port <port>', "the agents' HTTPS door (default 8443)")
    .option('--mqtt-port <port>', 'MQTT over TLS (default 8883)')
    .option('--public-host <name...>', 'name or address under which others reach this controller');
}

export function configFrom(options: ConfigOptions): Promise<ControllerConfig> {
  return loadConfig({
    file: options.config,
    environment: process.env,
    flags: {
      data_dir: options.dataDir,
      'http.host': options.host,
      'http.port': options.port,
      'agents_https.port': options.agentsPort,
      'mqtt.port': options.mqttPort,
      public_host: options.publicHost,
      'log.level': options.logLevel,
    },
  });
}
