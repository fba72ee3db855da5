/**
 * `npm start`: the whole product on one machine, without root. A controller on embedded parts, one enrolled agent that
 * watches bundled real packets (or your capture, or an interface), alerts on the terminal as they reach the controller.
 * It only starts the two programs the way the README says; nothing here is part of the product.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

const help = `npm start [-- options]      every option also as an environment variable

  --pcap FILE        replay your own capture, as fast as it goes    PICKET_PCAP
  --interface IF     watch an interface live (needs tcpdump, root)  PICKET_INTERFACE
  --mode MODE        observe | simulate | enforce (default simulate; files are always simulated)  PICKET_MODE
  --port N           API on 127.0.0.1 (default 8000)                PICKET_PORT
  --agents-port N    the agents' HTTPS door (default 8443)          PICKET_AGENTS_PORT
  --mqtt-port N      MQTT over TLS (default 8883)                   PICKET_MQTT_PORT
  --data-dir DIR     where everything is kept (default ./.picket)   PICKET_DATA_DIR
  --help
`;

const started = performance.now();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        pcap: { type: 'string' },
        interface: { type: 'string' },
        mode: { type: 'string' },
        port: { type: 'string' },
        'agents-port': { type: 'string' },
        'mqtt-port': { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    const environment = (name: string): string | undefined => process.env[`PICKET_${name}`] || undefined;
    return {
      help: values.help ?? false,
      pcap: values.pcap ?? environment('PCAP'),
      interface: values.interface ?? environment('INTERFACE'),
      mode: values.mode ?? environment('MODE') ?? 'simulate',
      port: port('--port', values.port ?? environment('PORT') ?? '8000'),
      agentsPort: port('--agents-port', values['agents-port'] ?? environment('AGENTS_PORT') ?? '8443'),
      mqttPort: port('--mqtt-port', values['mqtt-port'] ?? environment('MQTT_PORT') ?? '8883'),
      dataDirectory: resolve(values['data-dir'] ?? environment('DATA_DIR') ?? join(root, '.picket')),
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(64);
  }
}

function port(option: string, text: string): string {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new Error(`${option}: "${text}" is not a port (1 to 65535)`);
  return String(value);
}

const options = readOptions();
if (options.help) {
  console.log(help);
  process.exit(0);
}
if (options.pcap !== undefined && !existsSync(options.pcap)) {
  console.error(`--pcap: there is no file ${options.pcap}`);
  process.exit(66);
}

const controllerDirectory = join(options.dataDirectory, 'controller');
const agentDirectory = join(options.dataDirectory, 'agent');
mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });

const node = [process.execPath, '--conditions=@picket/source'] as const;
const program = (entry: string, ...args: string[]): [string, string[]] => [
  node[0],
  [node[1], join(root, entry), ...args],
];
const gatewayId = 'gw-local';
const controllerMain = 'controller/src/main.ts';
const agentMain = 'agent/src/main.ts';

/** In the order of their start; stopped in reverse. */
const children: { readonly name: string; readonly process: ChildProcess }[] = [];
const shutdown = new AbortController();

function launch(name: string, [command, args]: [string, string[]], environment: NodeJS.ProcessEnv): ChildProcess {
  // Own process groups: Ctrl-C comes to this process alone, which then stops them in the right order.
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: environment, detached: true });
  children.push({ name, process: child });
  child.on('exit', (code) => {
    if (shutdown.signal.aborted) return;
    if (code !== 0) console.error(`\nthe ${name} ended with exit code ${code}; the line above says why`);
    void stop(code ?? 1);
  });
  return child;
}

async function stop(exitCode: number): Promise<void> {
  if (shutdown.signal.aborted) return;
  shutdown.abort();
  const deadline = setTimeout(() => {
    for (const child of children) child.process.kill('SIGKILL');
  }, 4500);
  for (const { process: child } of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
  }
  clearTimeout(deadline);
  process.exitCode = exitCode;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!shutdown.signal.aborted) console.log('\nstopping …');
    void stop(0);
  });
}

/** Waits until the controller answers, or until it has ended. */
async function untilReady(url: string, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && !shutdown.signal.aborted) {
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return true;
    await new Promise((done) => setTimeout(done, 100));
  }
  return false;
}

function run(what: string, [command, args]: [string, string[]]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: process.env });
  if (result.status !== 0) throw new Error(`could not ${what} (exit code ${result.status})`);
  return result.stdout.trim();
}

function agentConfiguration(): string {
  const capture =
    options.interface !== undefined
      ? { source: 'live', interface: options.interface }
      : options.pcap !== undefined
        ? { source: 'pcap', files: [resolve(options.pcap)], speed: 'max' }
        : { source: 'pcap', files: [join(root, 'agent/captures/demo.pcap')], speed: 1, rebase: true };
  // JSON is YAML
  return JSON.stringify({ state_dir: agentDirectory, mode: options.mode, capture, log: { level: 'error' } }, null, 2);
}

try {
  const controller = launch(
    'controller',
    program(
      controllerMain,
      'serve',
      '--data-dir',
      controllerDirectory,
      '--port',
      options.port,
      '--agents-port',
      options.agentsPort,
      '--mqtt-port',
      options.mqttPort,
      '--print-alerts',
    ),
    { ...process.env, PICKET_LOG_LEVEL: process.env['PICKET_LOG_LEVEL'] ?? 'error' },
  );
  if (await untilReady(`http://127.0.0.1:${options.port}/readyz`, controller)) {
    if (!existsSync(join(agentDirectory, 'identity.json'))) {
      const token = run(
        'make an enrolment token',
        // for one name, so that it may enrol again when only the agent's folder was deleted
        program(
          controllerMain,
          'enroll-token',
          '--data-dir',
          controllerDirectory,
          '--agents-port',
          options.agentsPort,
          '--gateway-id',
          gatewayId,
        ),
      );
      run(
        'enrol the agent',
        program(agentMain, 'enroll', '--token', token, '--gateway-id', gatewayId, '--state-dir', agentDirectory),
      );
    }
    const configFile = join(options.dataDirectory, 'agent.yaml');
    mkdirSync(dirname(configFile), { recursive: true });
    writeFileSync(configFile, agentConfiguration());
    const what = options.interface ?? options.pcap ?? 'bundled packets: 16 s of everyday life, then attacks';
    console.log(`
  Picket is up after ${((performance.now() - started) / 1000).toFixed(1)} s. Watching ${what}.
    API reference   http://127.0.0.1:${options.port}/docs
    data            ${options.dataDirectory}
    stop            Ctrl-C
`);
    launch('agent', program(agentMain, 'run', '--config', configFile), process.env);
  }
} catch (error) {
  console.error((error as Error).message);
  await stop(1);
}
