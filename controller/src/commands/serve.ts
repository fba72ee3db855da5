/** `picket-controller serve`: the controller, until it is told to end. */
import type { Command } from 'commander';
import { destination, pino } from 'pino';
import { startController, type Controller } from '../controller.ts';
import { configFrom, withDoors } from './options.ts';
import { printAlerts } from './print-alerts.ts';

/** After this the process ends whatever is still open. */
const endWithinMs = 4500;

export function addServe(program: Command): void {
  withDoors(program.command('serve'))
    .description('run the controller')
    .option('--port <port>', 'API, reference page and live sockets (default 8000)')
    .option('--host <address>', 'address the API listens on (default 127.0.0.1; every one with --public-host)')
    .option('--print-alerts', 'print alerts as they come')
    .option('--check-config', 'read the settings, say whether they are good, and end')
    .action(async (options: Parameters<typeof configFrom>[0] & { checkConfig?: boolean; printAlerts?: boolean }) => {
      const config = await configFrom(options);
      if (options.checkConfig === true) {
        console.log('the configuration is good');
        return;
      }
      const log = pino(
        { level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
        destination(2),
      );
      await using controller = await startController(config, log, { onFirstAdmin: announceFirstAdmin });
      if (options.printAlerts === true) printTo(controller);
      log.info({ url: controller.url, metrics: controller.metricsUrl, doors: controller.fleet.doors }, 'ready');
      const signal = await untilToldToEnd();
      log.info({ signal }, 'ending');
      setTimeout(() => {
        log.error('something did not end in time');
        process.exit(1);
      }, endWithinMs).unref();
    });
}

function announceFirstAdmin(username: string, password: string | undefined): void {
  const secret = password === undefined ? 'the one from PICKET_ADMIN_PASSWORD' : `${password}   (shown this once)`;
  console.log(`first account   ${username}\npassword        ${secret}`);
}

function printTo(controller: Controller): void {
  printAlerts({
    feed: controller.feed,
    getAlert: (id) => controller.history.alerts.get(id),
    print: (lines) => console.log(lines),
    colours: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  });
}

function untilToldToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}
