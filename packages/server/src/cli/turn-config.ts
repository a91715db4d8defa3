import { chmod, mkdir, writeFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { coturnConfig } from '../turn/coturn-config.ts';
import { ownAddress, turnRealm } from '../turn/open-turn.ts';
import { planOf } from '../turn/plan.ts';
import { turnSecret } from '../turn/secret.ts';

/**
 * A `turnserver.conf` for these settings. Without `file` it comes back for showing, and without its secret; with one it is
 * written whole, for its owner alone, and what comes back says how to use it.
 */
export async function turnConfig({ turn, dataDir }: Pick<Config, 'turn' | 'dataDir'>, file: string | null): Promise<string> {
  // The configuration is for a server outside this process, whether or not it is set already.
  const settings = { ...turn, server: turn.server ?? `turn:${turn.publicHost}:${turn.portMin}` };
  const plan = planOf(settings, ownAddress());
  if (file === null) return coturnConfig({ plan, settings, realm: turnRealm, secret: null });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeFile(file, coturnConfig({ plan, settings, realm: turnRealm, secret: await turnSecret(turn, dataDir) }), { mode: 0o600 });
  await chmod(file, 0o600);
  return [
    `${file} is written; it holds a secret. Start coturn with: turnserver -c ${file}`,
    'Then start the engine with:',
    `  WEBRTC_TURN_SERVER=${settings.server}`,
    `  WEBRTC_MEDIA_ADDRESS=${plan.mediaAddress}`,
    '`vtutor doctor` tries it.',
  ].join('\n');
}
