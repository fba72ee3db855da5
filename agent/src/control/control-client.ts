/** Asks the running agent of this host, for the command line. */
import { request } from 'node:http';
import { AgentError } from '../errors.ts';
import { controlSocketPath } from './control-server.ts';

/** The answer as JSON. Throws an AgentError when no agent runs there, may not be asked, or refuses. */
export async function askAgent<T>(
  stateDirectory: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  timeoutMs = 30_000,
): Promise<T> {
  const socketPath = controlSocketPath(stateDirectory);
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request({ socketPath, method, path, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 500, text }));
    });
    call.on('timeout', () =>
      call.destroy(
        new AgentError('temporary-failure', `the agent did not answer within ${Math.round(timeoutMs / 1000)} s`),
      ),
    );
    call.on('error', (error) => reject(explain(error, stateDirectory)));
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const answer = JSON.parse(text) as T & { error?: string };
  if (status >= 400) throw new AgentError('bad-data', answer.error ?? `the agent answered ${status}`);
  return answer;
}

function explain(error: NodeJS.ErrnoException, stateDirectory: string): Error {
  if (error instanceof AgentError) return error;
  if (error.code === 'EACCES')
    return new AgentError(
      'no-permission',
      `the agent with state directory ${stateDirectory} belongs to somebody else; use sudo`,
    );
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new AgentError(
      'unavailable',
      `no agent is running with the state directory ${stateDirectory}; start it with \`picket-agent run --config FILE\`, or name another with --state-dir`,
    );
  }
  return new AgentError('unavailable', `cannot ask the agent: ${error.message}`, { cause: error });
}
