import { StudentId, TenantId } from '@virtual-tutor/schemas';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { openPrivacySchool, operator, SetClock } from './privacy-school.ts';

/** A node of its own that forgets a student and lets old words expire, and says where it is. */
const [url = '', key = '', nowMs = '', tenant = '', student = ''] = process.argv.slice(2);
const database = await openDatabase({ kind: 'server', url });
const school = await openPrivacySchool({ database, clock: new SetClock(Number(nowMs)), masterKey: Buffer.from(key, 'hex') });
process.stdout.write('begun\n');
await school.privacy.forget(StudentId.parse(student), operator(TenantId.parse(tenant)));
process.stdout.write('forgotten\n');
await school.retention.run();
process.stdout.write('done\n');
await school[Symbol.asyncDispose]();
await database[Symbol.asyncDispose]();
