/** `picketctl unblocks`: an address that must be free again, with the proof of every gateway. */
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { formatRows } from './print-rows.ts';
import { addGet, addList, Item, segment, type Terminal } from './verbs.ts';

const answerColumns = ['gateway_id', 'state', 'at', 'removed_count', 'removed', 'still_held', 'detail'];

export function addUnblocks(program: Command, terminal: Terminal): void {
  const path = '/api/v1/unblocks';
  const unblocks = program.command('unblocks').description('addresses released across the fleet, with proof');
  addList(unblocks, terminal, path, ['id', 'value', 'asked_by', 'asked_at', 'done', 'owing', 'reason'], {});
  addGet(unblocks, terminal, path);
  unblocks
    .command('add <value>')
    .description('release an address, prefix or MAC on every gateway, and print what each one proved')
    .requiredOption('--reason <text>', 'for whoever looks next')
    .option('--include-prefixes', 'also lift prefixes that reach beyond the value')
    .option('--gateway <name...>', 'only on these gateways')
    .option('--wait <seconds>', 'for the proofs of gateways that are there', '10')
    .action(async (value: string, options: UnblockOptions) => {
      const { reason, includePrefixes, gateway, wait } = options;
      const until = Date.now() + Number(wait) * 1000;
      let unblock = Unblock.parse(
        await terminal.api().call('POST', path, {
          value,
          reason,
          include_prefixes: includePrefixes === true,
          ...(gateway === undefined ? {} : { gateways: gateway }),
        }),
      );
      while (!unblock.done && Date.now() < until) {
        await setTimeout(500);
        unblock = Unblock.parse(await terminal.api().call('GET', `${path}/${segment(unblock.id)}`));
      }
      const rows = unblock.gateways.map((row) => ({
        ...row,
        removed: valuesOf(row['removed']),
        still_held: valuesOf(row['still_held']),
      }));
      terminal.print(
        terminal.format() === 'json'
          ? JSON.stringify(unblock, null, 2)
          : formatRows(rows, answerColumns, terminal.format()),
      );
    });
}

interface UnblockOptions {
  readonly reason: string;
  readonly includePrefixes?: boolean;
  readonly gateway?: string[];
  readonly wait: string;
}

const Unblock = z.looseObject({ id: z.string(), done: z.boolean(), gateways: z.array(Item) });

function valuesOf(decisions: unknown): string {
  const named = z.array(z.object({ value: z.string() })).safeParse(decisions);
  return named.success ? named.data.map(({ value }) => value).join(', ') : '';
}
