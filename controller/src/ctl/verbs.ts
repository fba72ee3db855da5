/** What every noun of `picketctl` shares: the terminal it prints to, and the verbs `list` and `get`. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClient, Method } from './api-client.ts';
import { formatRows, type OutputFormat, type Row } from './print-rows.ts';

/** What every command needs, asked at the time it runs: options are known only then. */
export interface Terminal {
  api(): ApiClient;
  format(): OutputFormat;
  print(text: string): void;
}

const Page = z.object({ items: z.array(z.record(z.string(), z.unknown())), next_cursor: z.string().nullable() });

/** Any object of the API. */
export const Item = z.record(z.string(), z.unknown());

export function addList(
  noun: Command,
  terminal: Terminal,
  path: string,
  columns: readonly string[],
  filters: Readonly<Record<string, string>>,
  order = 'newest first',
): void {
  const list = noun
    .command('list')
    .description(order)
    .option('--limit <rows>', 'at most this many', '100')
    .option('--all', 'every page');
  for (const [filter, text] of Object.entries(filters))
    list.option(`--${filter.replaceAll('_', '-')} <${filter}>`, text);
  list.action(async (options: Record<string, string | true>) => {
    const query = new URLSearchParams({ limit: String(options['limit']) });
    for (const filter of Object.keys(filters)) {
      const value = options[filter.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
      if (typeof value === 'string') query.set(filter, value);
    }
    const rows: Row[] = [];
    for (;;) {
      const page = Page.parse(await terminal.api().call('GET', `${path}?${query.toString()}`));
      rows.push(...page.items);
      if (options['all'] !== true || page.next_cursor === null) break;
      query.set('cursor', page.next_cursor);
    }
    terminal.print(formatRows(rows, columns, terminal.format()));
  });
}

export function addGet(noun: Command, terminal: Terminal, path: string): void {
  noun
    .command('get <id>')
    .description('all about one')
    .action(async (id: string) => {
      const item = Item.parse(await terminal.api().call('GET', `${path}/${segment(id)}`));
      if (terminal.format() === 'csv') terminal.print(formatRows([item], [], 'csv'));
      else terminal.print(JSON.stringify(item, null, 2));
    });
}

export async function show(
  terminal: Terminal,
  method: Method,
  path: string,
  columns: readonly string[],
  body: unknown,
): Promise<void> {
  const item = Item.parse(await terminal.api().call(method, path, body));
  terminal.print(
    formatRows(
      [item],
      columns.filter((column) => column in item),
      terminal.format(),
    ),
  );
}

/** An id becomes one path segment, whatever was typed. */
export function segment(id: string): string {
  return encodeURIComponent(id);
}
