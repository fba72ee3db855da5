/** Where settings come from: a YAML file, over it the environment, over that the command line. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { StartFailure, exitCodes } from '../errors.ts';
import { ControllerConfig } from './controller-config.ts';

export interface ConfigSources {
  /** YAML file. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values by setting, `http.port` for example. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** Settings that may stand in a file of their own: `PICKET_…_FILE`. */
const secrets: ReadonlySet<string> = new Set(['database_url', 'admin_password']);
/** Shorter names, and those other programs use for the same. The full ones win. */
const otherNames: Readonly<Record<string, string>> = {
  database_url: 'DATABASE_URL',
  'mqtt.broker_url': 'PICKET_BROKER_URL',
  'log.level': 'LOG_LEVEL',
  cors_origins: 'CORS_ORIGINS',
  allowed_hosts: 'ALLOWED_HOSTS',
};

type Settings = Record<string, unknown>;

/** Throws `StartFailure` that names every setting that is unknown or wrong, and where it came from. */
export async function loadConfig(sources: ConfigSources): Promise<ControllerConfig> {
  const settings = sources.file === undefined ? {} : await readSettings(sources.file);
  const origin = new Map<string, string>();
  for (const setting of settingNames()) {
    const fromEnvironment = await environmentValue(setting, sources.environment);
    if (fromEnvironment === undefined) continue;
    put(settings, setting, fromEnvironment.value);
    origin.set(setting, fromEnvironment.variable);
  }
  for (const [setting, value] of Object.entries(sources.flags ?? {})) {
    if (value === undefined) continue;
    put(settings, setting, value);
    origin.set(setting, `the command line (${setting})`);
  }
  const parsed = ControllerConfig.safeParse(settings);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => describe(issue, origin, sources.file));
  throw new StartFailure(`configuration: ${problems.join('; ')}`, exitCodes.config);
}

/** Every setting by its path, `http.port`. */
export function settingNames(): string[] {
  return namesIn(ControllerConfig, '');
}

export function variableOf(setting: string): string {
  return `PICKET_${setting.replaceAll('.', '_').toUpperCase()}`;
}

function namesIn(schema: z.ZodObject, prefix: string): string[] {
  return Object.entries(schema.shape).flatMap(([key, member]) => {
    const inner = member instanceof z.ZodPrefault ? member.unwrap() : member;
    return inner instanceof z.ZodObject ? namesIn(inner, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

async function readSettings(file: string): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new StartFailure(`configuration file ${file}: ${reason}`, exitCodes.config, { cause: error });
  }
  let settings: unknown;
  try {
    settings = parse(text, { strict: true, uniqueKeys: true }) ?? {};
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    throw new StartFailure(`configuration file ${file} is not YAML: ${line}`, exitCodes.config, { cause: error });
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new StartFailure(
      `configuration file ${file} holds no settings; write "data_dir: /var/lib/picket"`,
      exitCodes.config,
    );
  }
  return settings as Settings;
}

async function environmentValue(
  setting: string,
  environment: ConfigSources['environment'],
): Promise<{ variable: string; value: string } | undefined> {
  const own = variableOf(setting);
  const fileVariable = `${own}_FILE`;
  const path = environment[fileVariable];
  if (secrets.has(setting) && path !== undefined && path !== '') {
    try {
      return { variable: fileVariable, value: (await readFile(path, 'utf8')).trim() };
    } catch (error) {
      throw new StartFailure(`${fileVariable}: cannot read ${path}: ${(error as Error).message}`, exitCodes.config, {
        cause: error,
      });
    }
  }
  for (const variable of [own, otherNames[setting]]) {
    const value = variable === undefined ? undefined : environment[variable];
    if (variable !== undefined && value !== undefined && value !== '') return { variable, value };
  }
  return undefined;
}

function put(settings: Settings, setting: string, value: unknown): void {
  const steps = setting.split('.');
  const last = steps.pop() ?? '';
  let target = settings;
  for (const step of steps) {
    const next = target[step];
    if (typeof next !== 'object' || next === null) target[step] = {};
    target = target[step] as Settings;
  }
  target[last] = value;
}

function describe(issue: z.core.$ZodIssue, origin: ReadonlyMap<string, string>, file: string | undefined): string[] {
  const path = issue.path.filter((step) => typeof step === 'string').join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `unknown setting ${path === '' ? key : `${path}.${key}`} in ${file ?? 'the configuration'}`,
    );
  }
  const where = origin.get(path) ?? file ?? 'the configuration';
  return [`${path} from ${where}: ${issue.message}`];
}
