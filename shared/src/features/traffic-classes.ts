/** The labels, in the order of the network's output, with what an analyst needs to know about each. */
import { z } from 'zod';

export const TrafficClass = z.enum([
  'benign',
  'ddos_flood',
  'slow_rate',
  'port_scan',
  'brute_force_ssh',
  'brute_force_ftp',
  'botnet_beacon',
  'data_exfiltration',
  'web_xss',
  'web_sqli',
  'other_attack',
]);
export type TrafficClass = z.infer<typeof TrafficClass>;

export const trafficClasses: readonly TrafficClass[] = TrafficClass.options;

export interface ClassDescription {
  /** For people: what it is, in a few words. */
  readonly title: string;
  /** MITRE ATT&CK technique ids (Enterprise), empty for benign. */
  readonly attack: readonly string[];
  /** MITRE ATT&CK for ICS technique ids. */
  readonly attackIcs: readonly string[];
}

/** Version of ATT&CK that the ids below are taken from. */
export const attackFrameworkVersion = '18.1';

export const classDescriptions: Readonly<Record<TrafficClass, ClassDescription>> = {
  benign: { title: 'Benign traffic', attack: [], attackIcs: [] },
  ddos_flood: { title: 'Flood', attack: ['T1498.001', 'T1499.001'], attackIcs: ['T0814'] },
  slow_rate: { title: 'Slow-rate denial of service', attack: ['T1499.002'], attackIcs: ['T0814'] },
  port_scan: { title: 'Port scan', attack: ['T1046', 'T1595.001'], attackIcs: ['T0846'] },
  brute_force_ssh: { title: 'SSH password guessing', attack: ['T1110.001', 'T1021.004'], attackIcs: ['T0812'] },
  brute_force_ftp: { title: 'FTP password guessing', attack: ['T1110.001'], attackIcs: ['T0812'] },
  botnet_beacon: { title: 'Command-and-control beacon', attack: ['T1071'], attackIcs: ['T0869', 'T0885'] },
  data_exfiltration: { title: 'Data exfiltration', attack: ['T1041', 'T1048'], attackIcs: ['T0882'] },
  web_xss: { title: 'Cross-site scripting', attack: ['T1189', 'T1190'], attackIcs: ['T0819'] },
  web_sqli: { title: 'SQL injection', attack: ['T1190'], attackIcs: ['T0819'] },
  other_attack: { title: 'Other attack', attack: [], attackIcs: [] },
};
