import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { api, type ErrorCode, errorCodes, maxFrameBytes, parseFeedId, TurnId } from '@virtual-tutor/schemas';
import { WebSocketServer } from 'ws';
import { ScriptedLesson, ScriptedReader } from './scripted-lesson.ts';
