/** The worm of cameras: a device that was taken over asks everybody on one port whether he will be next. */
import { addressOf } from '../plan/site-plan.ts';
import { type Family, between, byPart, episode, spread } from './episode.ts';
import { runOwn, scanner } from './scan-targets.ts';

/** First numbers of the addresses that worms try. */
export const networks = [5, 24, 45, 61, 77, 91, 109, 133, 151, 178, 187, 202, 219] as const;

/** As the worms of cameras do it: telnet of whoever there may be, all over the world. */
export const worm: Family = (stage) => {
  const { site, random } = stage;
  const infected = random.pick(site.devices);
  const from = addressOf(site, infected);
  const port = random.pick(
    byPart(stage.part, { train: [23, 2323, 7547], validation: [23, 5555], test: [2323, 37_215, 23] }),
  );
  const gapMs = spread(random, 3, 300);
  const hosts = Array.from(
    { length: 2000 },
    () => `${random.pick(networks)}.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}`,
  );
  return episode({
    class: 'port_scan',
    tool: 'own worm',
    step: `own worm port ${port} every ${gapMs.toFixed(0)} ms`,
    seconds: random.integer(10, 30),
    origin: infected,
    argv: runOwn(scanner, '{folder}/orders'),
    files: {
      orders: JSON.stringify({
        from,
        hosts,
        ports: String(port),
        gapMs,
        patienceMs: random.integer(500, 4000),
        isShuffled: false,
        seed: random.integer(1, 1e9),
      }),
    },
    truth: [{ ...between(from, null), protocol: 6, dst_port: port }],
    to: 'anybody',
  });
};
