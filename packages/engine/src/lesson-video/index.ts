export { lessonScore } from './lesson-score.ts';
export { type RenderedLesson, renderLesson } from './render-lesson.ts';
export type { LessonScore, LoggedEvent } from './score.ts';
export type { Appearance } from './stage.ts';
