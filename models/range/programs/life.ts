/**
 * Runs inside a namespace and is the honest life of all hosts that have their addresses there: many devices in one small
 * process, so that dozens of sites fit on a machine. One argument: a file with a `LifePlan`. Attack tools of our own use
 * it too: a beacon is a conversation like others.
 */
import { readFileSync } from 'node:fs';
import type { Conversation, LifePlan, Serving } from './conversation.ts';
import { serveDatagrams, talkAsk, talkName, talkStream, talkTell } from './life/datagrams.ts';
import { serveFramed, talkKept } from './life/framed.ts';
import { serveHttp, talkHttp, talkVisit } from './life/http.ts';
import { talkMqtt } from './life/mqtt.ts';
import { serveDenying, talkDenied } from './life/denied.ts';
import { talkPoll } from './life/poll.ts';
import { serveSilence, serveTelnet, talkDead, talkRun } from './life/sundries.ts';
import { talkSweep } from './life/sweep.ts';
import { Surroundings } from './life/surroundings.ts';

const servers: Readonly<Record<Serving['kind'], (serving: Serving, around: Surroundings) => void>> = {
  http: serveHttp,
  framed: serveFramed,
  datagrams: serveDatagrams,
  names: serveDatagrams,
  telnet: serveTelnet,
  silence: serveSilence,
  denying: serveDenying,
};
const talks: Readonly<
  Record<Conversation['kind'], (conversation: Conversation, around: Surroundings) => Promise<never>>
> = {
  http: talkHttp,
  kept: talkKept,
  mqtt: talkMqtt,
  ask: talkAsk,
  tell: talkTell,
  stream: talkStream,
  name: talkName,
  dead: talkDead,
  visit: talkVisit,
  run: talkRun,
  poll: talkPoll,
  sweep: talkSweep,
  denied: talkDenied,
};

const path = process.argv[2];
if (path === undefined) throw new Error('give the file of the plan');
// the file is made by the range itself
const plan = JSON.parse(readFileSync(path, 'utf8')) as LifePlan;
const around = new Surroundings(
  plan.certificate === '' ? '' : readFileSync(plan.certificate, 'utf8'),
  plan.key === '' ? '' : readFileSync(plan.key, 'utf8'),
);
for (const serving of plan.servers) servers[serving.kind](serving, around);
for (const seconds of plan.storms) setTimeout(() => around.storm(3), seconds * 1000);
await Promise.all(plan.conversations.map((conversation) => talks[conversation.kind](conversation, around)));
