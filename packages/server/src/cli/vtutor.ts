#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { TRPCClientError } from '@trpc/client';
import { KeyId, Role } from '@virtual-tutor/schemas';
import { type Config, ConfigError, parseConfig } from '../config.ts';
import { DataFolderInUse } from '../store/folder-lock.ts';
import { UnsafeSecret } from '../store/secret-file.ts';
import { type AuditOptions, audit, auditOptions, auditUsage, sessionOf } from './audit.ts';
import { type AvatarOptions, avatarOptions, avatars, avatarUsage } from './avatars.ts';
import { type EngineClient, EngineNotRunning, withEngine, withRunningEngine } from './engine-client.ts';
import { describeVideo, lessonVideo, readLesson } from './lesson-video.ts';
import { log, logUsage } from './log.ts';
import { type PrivacyOptions, privacy, privacyOptions, privacyUsage } from './privacy.ts';
import { replay } from './replay.ts';
import { type ScenarioOptions, scenarioOptions, scenarioUsage } from './scenario/options.ts';
import { ScenarioRefused } from './scenario/scenario-file.ts';
import { turnConfig } from './turn-config.ts';
import { UsageError } from './usage-error.ts';

const usage = `vtutor COMMAND

  serve                             run the engine, like npm start
  doctor [--json]                   look for known troubles, with the fix of each
  replay SESSION [--at REVISION] [--json]
                                    a session's timeline and the state it folds to
  replay SESSION --video FILE.mp4 [--at REVISION] [--json]
                                    the lesson as it was heard and seen, from the log alone; the same lesson makes the same file
${scenarioUsage}
${auditUsage}
${privacyUsage}
${logUsage}
  projections list                  read models, and how far they are
  projections rebuild NAME          build one anew beside the one that serves
  keys create ROLE [LABEL]          ROLE: operator, teacher or auditor; shows the key once
  keys list
  keys revoke KEY_ID
${avatarUsage}
  turn-config [FILE]                a turnserver.conf for coturn: shown without its secret, or written to FILE

Settings are environment variables: see docs/configuration.md`;

interface Command {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly at: number | undefined;
  readonly video: string | undefined;
  readonly avatar: AvatarOptions;
  readonly audit: AuditOptions;
  readonly scenario: ScenarioOptions;
  readonly privacy: PrivacyOptions;
}

function commandOf(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      at: { type: 'string' },
      video: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      ...avatarOptions,
      ...auditOptions,
      ...scenarioOptions,
      ...privacyOptions,
    },
  });
  if (values.help) throw new UsageError(usage);
  const at = values.at === undefined ? undefined : Number(values.at);
  if (at !== undefined && (!Number.isInteger(at) || at < 1)) throw new UsageError('--at takes a revision: a whole number from 1');
  return {
    words: positionals,
    json: values.json,
    at,
    video: values.video,
    avatar: values,
    audit: values,
    scenario: values,
    privacy: values,
  };
}

async function doctor(config: Config, json: boolean): Promise<number> {
  const { examine } = await import('./doctor.ts');
  const findings = await examine(config);
  if (json) console.log(JSON.stringify(findings));
  for (const { name, status, found, fix } of json ? [] : findings) {
    console.log(`${status === 'ok' ? 'ok     ' : status.toUpperCase()} ${name}: ${found}`);
    if (fix !== null) console.log(`        ${fix}`);
  }
  return findings.some(({ status }) => status === 'trouble') ? 1 : 0;
}

async function projections(client: EngineClient, [verb, name]: readonly (string | undefined)[]): Promise<number> {
  if (verb === 'rebuild' && name !== undefined) {
    const { generation } = await client.projections.rebuild.mutate({ name });
    console.log(`${name}: generation ${generation} is being built; the one before serves until it is done`);
    return 0;
  }
  if (verb !== 'list') throw new UsageError(usage);
  for (const { name: projection, generation, state, position, lag, error } of await client.projections.list.query()) {
    console.log(
      `${projection.padEnd(16)} generation ${generation}  ${state.padEnd(10)} at ${position}, ${lag} behind${error === null ? '' : `  ${error}`}`,
    );
  }
  return 0;
}

async function keys(client: EngineClient, [verb, subject, label]: readonly (string | undefined)[]): Promise<number> {
  switch (verb) {
    case 'create': {
      const role = Role.safeParse(subject);
      if (!role.success) throw new UsageError('which role? operator, teacher or auditor');
      const { key, keyId } = await client.keys.create.mutate({ role: role.data, label: label ?? '' });
      console.log(`${keyId}  ${role.data}\n${key}\nShown this once: keep it where the program that uses it can read it, and nobody else.`);
      return 0;
    }
    case 'list':
      for (const { keyId, role, label: named, issuedAt, revokedAt } of await client.keys.list.query()) {
        console.log(`${keyId}  ${role.padEnd(8)}  ${issuedAt}  ${revokedAt === null ? 'active' : `revoked ${revokedAt}`}  ${named}`);
      }
      return 0;
    case 'revoke': {
      const keyId = KeyId.safeParse(subject);
      if (!keyId.success) throw new UsageError('which key? `vtutor keys list` shows their ids');
      await client.keys.revoke.mutate({ keyId: keyId.data });
      console.log(`${keyId.data} is revoked`);
      return 0;
    }
    default:
      throw new UsageError(usage);
  }
}

async function runCommand({
  words: [noun, ...rest],
  json,
  at,
  video,
  avatar,
  audit: auditing,
  scenario: rehearsal,
  privacy: options,
}: Command): Promise<number> {
  if (noun === 'serve') {
    await import('../main.ts');
    return new Promise(() => undefined);
  }
  const config = parseConfig(process.env);
  switch (noun) {
    case 'doctor':
      return doctor(config, json);
    case 'replay': {
      const sessionId = sessionOf(rest[0]);
      if (rehearsal['as-scenario'] !== undefined) {
        const { makeScenarioFile } = await import('./scenario/make.ts');
        return withEngine(config, (client) => makeScenarioFile(client, { ...rehearsal, sessionId, at, json }));
      }
      console.log(
        await withEngine(config, async (client) => {
          if (video === undefined) return replay(client, { sessionId, at, json });
          const lesson = await readLesson(client, { sessionId, at });
          const report = await lessonVideo(lesson, { path: video, avatarsFolder: config.avatars.folder });
          return json ? JSON.stringify(report) : describeVideo(report);
        }),
      );
      return 0;
    }
    case 'audit': {
      const request = { ...auditing, words: rest, json };
      return (rest[0] === 'rotate-key' ? withRunningEngine : withEngine)(config, (client) => audit(client, request));
    }
    case 'privacy':
      return withEngine(config, (client) => privacy(client, rest, options));
    case 'log':
      return log(config, rest);
    case 'projections':
      return withEngine(config, (client) => projections(client, rest));
    case 'scenario': {
      const { scenario } = await import('./scenario/run.ts');
      return scenario(config, { ...rehearsal, words: rest, json });
    }
    case 'turn-config':
      console.log(await turnConfig(config, rest[0] ?? null));
      return 0;
    case 'keys':
      return withEngine(config, (client) => keys(client, rest));
    case 'avatars':
      return withRunningEngine(config, (client) => avatars(client, rest, avatar));
    default:
      throw new UsageError(usage);
  }
}

function explain(error: unknown): string {
  if (
    [UsageError, ScenarioRefused, ConfigError, DataFolderInUse, UnsafeSecret, EngineNotRunning].some((known) => error instanceof known) &&
    error instanceof Error
  )
    return error.message;
  if (error instanceof TRPCClientError) return `refused: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  process.exit(await runCommand(commandOf(process.argv.slice(2))));
} catch (error) {
  console.error(explain(error));
  process.exit(error instanceof UsageError || error instanceof ScenarioRefused ? 2 : 1);
}
