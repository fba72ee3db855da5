/** One alert for people: what was seen, what was done, and what to type where the host is meant to do this. */
import type { AlertDetail } from '@picket/shared/contract/stored-alert';

export function alertWords(alert: AlertDetail): string {
  const { device_address: device, device_name: name, gateway_id: gateway, attack_type: attack, decisions } = alert;
  const how = alert.is_plain ? 'plain from its flows' : `score ${alert.score.toFixed(2)}`;
  const lines = [
    `${alert.severity}: ${alert.message}`,
    ...(alert.summary === '' ? [] : [`seen     ${alert.summary}`]),
    `device   ${device} (${name}) behind ${gateway}`,
    `when     ${alert.first_seen_at} to ${alert.last_seen_at}, ${alert.count} windows, ${how}${cameBack(alert)}`,
    `status   ${alert.status}`,
    ...decisions.map(
      ({ id, action, scope, value, expires_at: until }) =>
        `done     ${action} ${scope} ${value} until ${until} (${id})`,
    ),
    '',
    'if this is meant to be (monitoring, discovery or jobs of yours):',
    `  picketctl rules except ${device} --class ${attack} --gateway ${gateway}`,
    `  (from then on ${attack} by or against ${device} is only told of there)`,
    ...decisions
      .filter(({ active }) => active)
      .map(({ id }) => `  picketctl decisions delete ${id}   (lifts what holds)`),
  ];
  return lines.map((line) => line.replaceAll(/\p{Cc}/gu, '\uFFFD')).join('\n');
}

function cameBack({ returns }: Pick<AlertDetail, 'returns'>): string {
  return returns === 0 ? '' : `, came back ${returns === 1 ? 'once' : `${returns} times`}`;
}
