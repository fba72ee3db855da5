import { expect, test } from 'vitest';
import type { DataDescription } from '../data-description.ts';
import type { CaptureFigures, EpisodeFigures, Figures, FoundClass, UnknownClasses } from '../evaluation/evaluation.ts';
import { countedSection, episodeSection } from './alert-sections.ts';
import { captureSection } from './capture-sections.ts';
import { baselineSection } from './comparison-sections.ts';
import { unknownSection } from './unknown-sections.ts';
import { copySection } from './window-sections.ts';

function runs(tool: string, seen: EpisodeFigures['tool_seen_in'], alerted: number, episodes: number): EpisodeFigures {
  const key = { source: 'range', part: 'test' as const, class: 'port_scan' };
  return { ...key, tool, tool_seen_in: seen, episodes, alerted, named: alerted, median_seconds: 3 };
}

test('runs of tools that training never had are told apart from those that it had', () => {
  const episodes = [runs('nmap', 'train', 9, 10), runs('hping3', 'validation', 1, 2), runs('zmap', 'nowhere', 1, 4)];
  const lines = episodeSection(episodes, episodes).split('\n');
  const row = lines.find((line) => line.includes('| port_scan |'))!;
  // Two of six runs of tools that training never had, eleven of sixteen in all.
  expect(row).toContain('| 2 of 6 (33.3 %) | 11 of 16 (68.8 %) |');
  expect(row).toContain('zmap 1/4, hping3+ 1/2, nmap* 9/10');
  const tools = lines.filter((line) => line.includes('| that '));
  expect(tools.map((line) => line.split('|')[5]!.trim())).toEqual([
    '1 of 4 (25.0 %)',
    '1 of 2 (50.0 %)',
    '9 of 10 (90.0 %)',
  ]);
});

function capture(source: string, name: string, attack: boolean, flows: number, alerted: boolean): CaptureFigures {
  const windows = { windows: flows, alarmed_windows: alerted ? flows : 0, highest_score: 0.5 };
  return { source, capture: name, attack, flows, ...windows, alerted };
}

test('captures are counted by source, single flows apart, and what a training was kept from stands beside it', () => {
  const captures = [
    capture('plugs', 'benign/a', false, 20, false),
    capture('plugs', 'benign/b', false, 20, true),
    capture('others', 'attack/scan', true, 50, true),
    capture('others', 'attack/one', true, 1, false),
  ];
  const data: DataDescription = {
    source: 'plugs',
    part: 'train',
    groups: ['c'],
    windows: 9,
    attacked_groups: 0,
    episodes: 0,
    tools: [],
    hours_in_peace: 1,
  };
  const leftOut = [
    { source: 'plugs', seed: 7, captures: captures.slice(0, 2).map((one) => ({ ...one, alerted: true })) },
  ];
  const section = captureSection(captures, [data], leftOut);
  for (const line of [
    '| all | benign | 1 of 2 (50.0 %) |',
    '| all | attacks of a single flow | 0 of 1 (0.0 %) |',
    '| plugs: other device types of it were trained on | benign | 1 of 2 (50.0 %) |',
    '| others: training had none of this source | attacks of 10 flows or more | 1 of 1 (100.0 %) |',
    '| plugs, all of it, by a training that it was kept from (seed 7) | benign | 2 of 2 (100.0 %) |',
    '| benign: benign/b | 20 |',
  ]) {
    expect(section).toContain(line);
  }
  expect(section).not.toContain('benign: benign/a');
});

test('flows that training had are told of, and where there are no attacks nothing is said of them', () => {
  const none = { attack_windows: 0, own_attack_windows: 0, recall: 0, own_recall: 0 };
  const benign = { benign_windows: 9, own_benign_windows: 6, false_alarm_share: 1 / 9, own_false_alarm_share: 1 / 6 };
  const section = copySection([{ source: 'plugs', flows: 8, copied_flows: 2, ...none, ...benign }]);
  expect(section).toContain('| plugs | 8 | 2 of 8 (25.0 %) | 0 | – | 0 | – | 9 | 11.111 % | 6 | 16.667 % |');
  expect(copySection([])).toBe('');
});

test('what is counted beside the network stands beside what the network says alone', () => {
  const capture = { source: 'elsewhere', attack: true, flows: 9, windows: 3, alarmed_windows: 0, highest_score: 0.4 };
  const alone = {
    episodes: [runs('nmap', 'train', 1, 4)],
    quiet: [],
    captures: [{ ...capture, capture: 'attack/ftp', alerted: false }],
  };
  const counted = {
    ...alone,
    episodes: [runs('nmap', 'train', 3, 4)],
    captures: [{ ...capture, capture: 'attack/ftp', alerted: true }],
  };
  const section = countedSection(alone, counted);
  const { part, source } = alone.episodes[0]!;
  expect(section).toContain(`| ${part} | ${source} | 1 of 4 (25.0 %) | 3 of 4 (75.0 %) | 1 | 3 | 0 / 0 | 0 / 0 |`);
  expect(section).toContain(
    '0 of 1 attack captures and 0 of 0 benign ones alerted; with counts 1 of 1 attack captures',
  );
});

function found(name: string, alerted: number, named: Record<string, number> = {}): FoundClass {
  const windows = { windows: 200, loud_windows: 10 * alerted, windows_named_as: named };
  return { source: 'range', part: 'test', class: name, episodes: 10, alerted, named_as: named, ...windows };
}

test('what was never met stands weak first, beside a training that had met it', () => {
  const benign = { ...found('benign', 0), episodes: 0, windows: 1000, loud_windows: 1 };
  const common = { seed: 3, epochs: 6, recipe: 'b', data_fingerprint: 'a' };
  const unknown: UnknownClasses = {
    ...common,
    trainings: [
      { left_out: null, threshold: 0.9, found: [benign, found('port_scan', 9), found('web_xss', 8)] },
      {
        left_out: 'port_scan',
        threshold: 0.91,
        found: [benign, found('port_scan', 5, { web_xss: 5 }), found('web_xss', 7)],
      },
      {
        left_out: 'web_xss',
        threshold: 0.92,
        found: [
          benign,
          found('web_xss', 2, { slow_rate: 9, port_scan: 4, web_sqli: 3, ddos_flood: 2, other_attack: 2 }),
        ],
      },
    ],
  };
  const section = unknownSection(unknown, 'a');
  const rows = section.split('\n').filter((line) => line.startsWith('| test'));
  expect(rows).toEqual([
    '| test | range | web_xss | 2 of 10 (20.0 %) | 8 of 10 (80.0 %) | 10.0 % of 200 | 40.0 % of 200 | slow_rate 9, port_scan 4, web_sqli 3, others 4 | slow_rate 9, port_scan 4, web_sqli 3, others 4 |',
    '| test | range | port_scan | 5 of 10 (50.0 %) | 9 of 10 (90.0 %) | 25.0 % of 200 | 45.0 % of 200 | web_xss 5 | web_xss 5 |',
  ]);
  expect(section).toContain('| nothing | 0.90000 | test range 0.100 % of 1000 |');
  expect(section).toContain('| web_xss | 0.92000 | test range 0.100 % of 1000 |');
  expect(section).not.toContain('same data');
  expect(unknownSection(unknown, 'b')).toContain('None of them had the same data as this network');
  expect(unknownSection(null, 'a')).toBe('');
});

test('what only the network went on with is told of beside the baselines', () => {
  const figures = (name: string): Figures => ({
    name,
    threshold: 0.9,
    sources: [],
    episodes: [],
    quiet: [],
    captures: [],
    dilution: [],
    monotony: { windows: 0, false_alarm_share: 0 },
    shuffled: { windows: 0, recall: 0, recall_shuffled: 0 },
    reliability: [],
    calibration_error: 0,
  });
  const both = [figures('network'), figures('forest')];
  expect(baselineSection(both, [])).toContain('by the same rule.\n');
  expect(baselineSection(both, ['home'])).toContain('but that the network alone went on with home.');
});
