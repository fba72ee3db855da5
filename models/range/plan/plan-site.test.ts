import { expect, test, vi } from 'vitest';
import { planEpisodes } from '../attacks/plan-episodes.ts';
import { isAttacker } from '../attacks/episode.ts';
import { planSite, planSiteByName } from './plan-site.ts';
import { addressOf } from './site-plan.ts';

const parts = ['train', 'validation', 'test'] as const;
const numbers = Array.from({ length: 12 }, (_, index) => index);
/** Of the second edition. */
const newNumbers = [25, 26, 27, 28, 29];
// word lists of thousands are drawn: on a busy machine that takes its time
vi.setConfig({ testTimeout: 180_000 });

test('the same name gives the same site and the same attacks, to the last byte', () => {
  expect(JSON.stringify(planSiteByName('test-07'))).toBe(JSON.stringify(planSite('test', 7)));
  const twice = [1, 2].map(() => JSON.stringify(planEpisodes(planSite('train', 3), 5, 40, null)));
  expect(twice[0]).toBe(twice[1]);
  expect(JSON.stringify(planEpisodes(planSite('train', 3), 6, 40, null))).not.toBe(twice[0]);
});

test('no site is like another: nobody is both learnt from and measured on', () => {
  const sites = parts.flatMap((part) => numbers.map((number) => planSite(part, number)));
  expect(new Set(sites.map(({ outer }) => outer)).size).toBe(sites.length);
  expect(new Set(sites.map(({ conversations }) => JSON.stringify(conversations))).size).toBe(sites.length);
  expect(new Set(sites.map(({ isTranslated }) => isTranslated)).size).toBe(2);
  expect(new Set(sites.flatMap(({ devices }) => devices.map(({ filter }) => filter))).size).toBe(4);
});

test('an address belongs to one host, and every conversation begins at a host of its namespace', () => {
  for (const site of numbers.map((number) => planSite('train', number))) {
    const devices = site.devices.map((device) => addressOf(site, device));
    const all = [...devices, ...site.cloud, ...site.people, site.outer];
    expect(new Set(all).size).toBe(all.length);
    for (const half of ['wired', 'wireless'] as const) {
      const own = site.devices.flatMap((device) =>
        device.half === half ? [addressOf(site, device), `${site.lan6}${device.host.toString(16)}`] : [],
      );
      for (const { from } of site.conversations[half]) expect(own).toContain(from);
    }
  }
});

test('attackers, and whom implants report to, are nobody else', () => {
  for (const part of parts) {
    for (const number of numbers) {
      const site = planSite(part, number);
      const honest = new Set([
        ...site.cloud,
        ...site.people,
        site.outer,
        ...site.devices.map((device) => addressOf(site, device)),
      ]);
      const hostile = planEpisodes(site, 1, 30, null).flatMap(({ plan }) => [
        ...(isAttacker(plan.origin) ? [plan.origin.address] : []),
        ...(plan.control === null ? [] : [plan.control]),
      ]);
      expect(hostile.filter((address) => honest.has(address))).toEqual([]);
      expect(new Set(hostile).size).toBe(hostile.length);
    }
  }
});

test('validation and test are attacked with tools that training never had', () => {
  const toolsOf = (part: (typeof parts)[number]): Set<string> =>
    new Set(
      numbers.flatMap((number) => planEpisodes(planSite(part, number), 1, 30, null).map(({ plan }) => plan.tool)),
    );
  const learnt = toolsOf('train');
  expect([...toolsOf('validation')].filter((tool) => !learnt.has(tool))).toEqual(
    expect.arrayContaining(['masscan', 'medusa', 'wapiti']),
  );
  expect([...toolsOf('test')].filter((tool) => !learnt.has(tool))).toEqual(
    expect.arrayContaining(['patator', 'sqlmap', 'zmap', 'wrk']),
  );
});

test('an infected device attacks only those with whom it has nothing else to do', () => {
  let seen = 0;
  for (const site of numbers.map((number) => planSite('train', number))) {
    for (const { plan } of planEpisodes(site, 2, 20, 'port-scan')) {
      if (isAttacker(plan.origin) || plan.tool === 'own worm') continue;
      const own = addressOf(site, plan.origin);
      const friends = [...site.conversations.wired, ...site.conversations.wireless].flatMap(({ from, to }) =>
        from === own ? to : to.includes(own) ? [from] : [],
      );
      for (const { dst_ip } of plan.truth) expect(friends).not.toContain(dst_ip);
      seen += 1;
    }
  }
  expect(seen).toBeGreaterThan(3);
});

test('sites that were captured before keep their plan; those after them have attackers inside, in every family that can', () => {
  expect([planSite('train', 24), planSite('train', 109), planSite('demo', 30)].map(({ edition }) => edition)).toEqual([
    1, 1, 1,
  ]);
  expect([18, 19, 107].map((number) => planSite('test', number).edition)).toEqual([2, 3, 2]);
  const inside = new Map<string, number>();
  let all = 0;
  for (const part of parts) {
    for (const site of newNumbers.map((number) => planSite(part, number))) {
      expect(site.edition).toBeGreaterThan(1);
      for (const { family, plan } of planEpisodes(site, 1, 40, null)) {
        all += 1;
        if (!isAttacker(plan.origin)) inside.set(family, (inside.get(family) ?? 0) + 1);
      }
    }
  }
  const families = ['port-scan', 'flood', 'slow-rate', 'brute-force-ssh', 'brute-force-ftp'];
  for (const name of families) expect(inside.get(name) ?? 0).toBeGreaterThan((all / 10) * 0.15);
});

test('scripts by patator came with the third edition', () => {
  const toolsOf = (number: number): string[] =>
    planEpisodes(planSite('test', number), 1, 200, null).flatMap(({ plan: { class: label, tool } }) =>
      label === 'web_xss' ? [tool] : [],
    );
  expect(new Set(toolsOf(18))).toEqual(new Set(['ffuf', 'wapiti']));
  expect(new Set(toolsOf(19))).toEqual(new Set(['ffuf', 'wapiti', 'patator']));
});

test('no honest flow of a site of the second edition is covered by what an attack from inside is said to be', () => {
  for (const part of parts) {
    for (const site of newNumbers.map((number) => planSite(part, number))) {
      const talks = [...site.conversations.wired, ...site.conversations.wireless];
      for (const { plan } of planEpisodes(site, 3, 40, null)) {
        if (isAttacker(plan.origin)) continue;
        const own = addressOf(site, plan.origin);
        for (const { src_ip, dst_ip, dst_port } of plan.truth) {
          expect(src_ip).toBe(own);
          const ends = (talk: (typeof talks)[number]): string[] => [
            ...talk.to,
            ...talk.commands.flat().flatMap((word) => word.split(/[^\d.]+/)),
          ];
          const covered = talks.filter(
            (talk) =>
              (dst_port === null || talk.port === dst_port) &&
              ((talk.from === own && (dst_ip === null || ends(talk).includes(dst_ip))) ||
                (talk.from === dst_ip && ends(talk).includes(own))),
          );
          expect(covered.map(({ kind, port }) => `${plan.step}: ${kind} ${port}`)).toEqual([]);
        }
      }
    }
  }
});

test('every server of a site listens on a door of its own, and gets through the filter of its device', () => {
  for (const site of newNumbers.map((number) => planSite('train', number))) {
    for (const half of ['wired', 'wireless'] as const) {
      const doors = [
        ...site.servings[half]
          .filter(({ kind }) => kind !== 'datagrams')
          .map(({ address, port }) => `${address}:${port}`),
        ...site.devices
          .filter((device) => device.half === half)
          .flatMap((device) =>
            device.services
              .filter(({ software }) => software !== 'own')
              .filter(({ kind }) => kind !== 'telnet' && kind !== 'rtsp')
              .map(({ port }) => `${addressOf(site, device)}:${port}`),
          ),
      ];
      expect(doors.filter((door, index) => doors.indexOf(door) !== index)).toEqual([]);
    }
  }
});
