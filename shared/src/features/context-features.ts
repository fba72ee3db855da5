/**
 * The numbers of a flow's context (`flow-context.ts`) as reasons of a score: by what names and in what units explanations tell
 * them beside the 78 features. Which peer it is and which way a flow went are names: no reason is ever told in them.
 */
import type { FlowFeature } from './feature-schema.ts';

/** In the order of `flow_context`. */
export const contextFeatures: readonly Pick<FlowFeature, 'name' | 'unit' | 'meaning'>[] = [
  { name: 'Flow Age', unit: 's', meaning: 'From the first packet of the flow to the newest of the window' },
  { name: 'Peer', unit: '', meaning: 'Number of the peer among those of the window' },
  { name: 'Direction', unit: '', meaning: 'Inbound, outbound or internal' },
  {
    name: 'Recent Flows',
    unit: 'count',
    meaning: 'New flows of the device of late, fading over half a minute, up to 100',
  },
  { name: 'Recent Flows of Peer', unit: 'count', meaning: 'The same of the device with this peer' },
  {
    name: 'Peer Known',
    unit: 's',
    meaning: "Since the device's first flow with this peer, who is forgotten once 64 others were heard later",
  },
  { name: 'Device Known', unit: 's', meaning: "Since the device's first flow" },
];

/** Column of `flow_context`. */
export const contextColumn = { recentOfDevice: 3, recentOfPeer: 4, peerKnown: 5, deviceKnown: 6 } as const;
