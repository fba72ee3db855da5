/** Every family of attacks, by the name under which scenarios are listed and captured. */
import { type Family } from './episode.ts';
import { flood } from './flood.ts';
import { guessFtp, guessOthers, guessSsh } from './guess.ts';
import { beacon } from './beacon.ts';
import { exfiltration } from './exfiltration.ts';
import { scan } from './scan.ts';
import { slowRate } from './slow-rate.ts';
import { webOthers, webSqli, webXss } from './web.ts';

export interface NamedFamily {
  readonly name: string;
  readonly description: string;
  readonly plan: Family;
}

export const families: readonly NamedFamily[] = [
  { name: 'port-scan', description: 'ports and hosts looked for: from outside, from inside, by worms', plan: scan },
  {
    name: 'flood',
    description: 'packets, connections or requests in excess; one source, many, or made-up ones',
    plan: flood,
  },
  { name: 'slow-rate', description: 'connections that never finish', plan: slowRate },
  { name: 'brute-force-ssh', description: 'ssh passwords guessed', plan: guessSsh },
  { name: 'brute-force-ftp', description: 'ftp passwords guessed', plan: guessFtp },
  { name: 'beacon', description: 'a device reports to whoever took it over', plan: beacon },
  { name: 'exfiltration', description: 'a device sends away what was stolen', plan: exfiltration },
  { name: 'web-sqli', description: 'SQL injection', plan: webSqli },
  { name: 'web-xss', description: 'cross-site scripting', plan: webXss },
  {
    name: 'other',
    description: 'telnet and web log-ins guessed, commands injected, pages guessed',
    plan: (stage) => stage.random.pick([guessOthers, ...webOthers])(stage),
  },
];
