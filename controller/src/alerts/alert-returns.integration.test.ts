/** What becomes of the work that people did on an alert when its attack comes back. */
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { Alert } from '@picket/shared/contract/alert';
import { LiveEvent } from '@picket/shared/contract/live-event';
import { StoredAlert } from '@picket/shared/contract/stored-alert';
import { sampleAlert, sampleInstant } from '../testing/sample-events.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

/** `[type, status, count]` of what live sockets on the channel of alerts are sent from now on. */
function listen(api: TestApi): (readonly [string, string, number])[] {
  const heard: (readonly [string, string, number])[] = [];
  api.controller.feed.subscribe('alerts', (text) => {
    const { type, data } = LiveEvent.parse(JSON.parse(text));
    const { status, count } = StoredAlert.parse(data);
    heard.push([type, status, count]);
    return 'taken';
  });
  return heard;
}

/** Revision `revision` of an alert whose attack has come back `returns` times. */
function later(alert: Alert, revision: number, returns: number): Alert {
  const message = `it came back, ${returns}`;
  return { ...alert, revision, returns, count: 2 + revision, last_seen_at: sampleInstant(revision * 600), message };
}

describeOnBothDatabases('an attack that comes back', (open) => {
  test('to a resolved alert opens it again, with a step in its history, and nobody has seen it', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alert = sampleAlert();
    const path = `/alerts/${alert.id}`;
    const ingest = (body: Alert): Promise<void> => api.ingest('alerts', [{ kind: 'alert', body }]);
    await ingest(alert);
    await api.call('operator', 'PATCH', path, { assignee: 'operator', tags: ['backup'], severity: 'low' });
    await api.call('operator', 'POST', `${path}/resolve`, { notes: 'password changed' });
    const heard = listen(api);
    await ingest(later(alert, 1, 0));
    expect((await api.get(path)).body, 'what went on for a moment did not come back').toMatchObject({
      status: 'resolved',
      count: 3,
      returns: 0,
    });

    await ingest(later(alert, 2, 1));
    const { body: reopened } = await api.get(path);
    expect(reopened).toMatchObject({
      status: 'active',
      count: 4,
      returns: 1,
      is_acknowledged: false,
      resolved_by: null,
      resolution_notes: null,
      assignee: 'operator',
      tags: ['backup'],
      severity: 'low',
      message: 'it came back, 1',
      last_seen_at: sampleInstant(1200),
    });
    expect(reopened.history.at(-2)).toMatchObject({ to: 'resolved', note: 'password changed' });
    expect(reopened.history.at(-1)).toMatchObject({
      who: 'gateway edge-1',
      from: 'resolved',
      to: 'active',
      note: 'came back: it came back, 1',
    });
    expect((await api.get('/alerts/unread-count')).body).toEqual({ count: 1 });

    await ingest(later(alert, 2, 1));
    await ingest(later(alert, 3, 1));
    expect(heard).toEqual([
      ['alert_updated', 'resolved', 3],
      ['alert_reopened', 'active', 4],
      ['alert_updated', 'active', 5],
    ]);
    await api.call('operator', 'POST', `${path}/resolve`);
    await ingest(later(alert, 4, 1));
    expect((await api.get(path)).body.status, 'resolved after it came back').toBe('resolved');
    await ingest(later(alert, 6, 3));
    expect((await api.get(path)).body).toMatchObject({ status: 'active', returns: 3 });
  });

  test.each(['acknowledged', 'investigating', 'false_positive'])(
    'leaves an alert that is %s as it is, and counts on',
    async (status) => {
      await using place = await open();
      await using api = await startTestApi(place.url);
      const alert = sampleAlert();
      const path = `/alerts/${alert.id}`;
      await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
      expect((await api.call('operator', 'PATCH', path, { status })).status).toBe(200);
      const heard = listen(api);
      await api.ingest('alerts', [{ kind: 'alert', body: later(alert, 1, 1) }]);
      await api.ingest('alerts', [{ kind: 'alert', body: later(alert, 2, 2) }]);
      const { body } = await api.get(path);
      expect(body).toMatchObject({ status, count: 4, returns: 2, acknowledged_by: 'operator' });
      expect(body.history.map(({ to }: { to: string }) => to)).toEqual([status]);
      expect(heard).toEqual([
        ['alert_updated', status, 3],
        ['alert_updated', status, 4],
      ]);
      expect((await api.get('/alerts/unread-count')).body).toEqual({ count: 0 });
      expect((await api.get('/alerts')).body.items).toHaveLength(1);
    },
  );
});
