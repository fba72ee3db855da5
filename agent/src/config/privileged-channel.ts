/** How an agent that was started without rights knows where to ask for what needs them. */

/** Set by the privileged process for the agent it starts. */
export const channelVariable = 'PICKET_PRIVILEGED_CHANNEL';

/** The descriptor of the channel; undefined where this process was started by a person or a service manager. */
export function privilegedChannel(environment: NodeJS.ProcessEnv): number | undefined {
  const descriptor = Number(environment[channelVariable]);
  delete environment[channelVariable]; // programs we start must not think it is theirs
  return Number.isInteger(descriptor) && descriptor > 2 ? descriptor : undefined;
}
