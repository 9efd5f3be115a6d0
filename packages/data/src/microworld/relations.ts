import { PREDICATES, type Predicate } from './names.js';
import { CANVAS, type SceneObject } from './scene.js';

/** From this distance between centres on, one object is clearly on one side of the other. */
export const CLEAR_DISTANCE = (CANVAS * 5) / 32;

/** Below this distance two objects are in line. Between the two limits nothing is said or asked. */
export const ALIGNED_DISTANCE = (CANVAS * 3) / 32;

/** How far an object lies on the side of another that a predicate names, in canvas units; negative on the other side. */
export function distanceAlong(predicate: Predicate, subject: SceneObject, object: SceneObject): number {
  switch (predicate) {
    case 'left of':
      return object.x - subject.x;
    case 'right of':
      return subject.x - object.x;
    case 'above':
      return object.y - subject.y;
    case 'below':
      return subject.y - object.y;
  }
}

/**
 * Whether `subject predicate object` is clearly true, clearly false because the objects are in line or the other way
 * round, or too close to call (`null`).
 */
export function relationHolds(predicate: Predicate, subject: SceneObject, object: SceneObject): boolean | null {
  const distance = distanceAlong(predicate, subject, object);
  if (distance >= CLEAR_DISTANCE) return true;
  return distance < ALIGNED_DISTANCE ? false : null;
}

/** A relation between two objects, by their indices. */
export interface Relation {
  readonly subject: number;
  readonly predicate: Predicate;
  readonly object: number;
}

/** All clearly true relations, ordered by subject, object and predicate. */
export function relationsOf(objects: readonly SceneObject[]): Relation[] {
  return objects.flatMap((subject, subjectIndex) =>
    objects.flatMap((object, objectIndex) =>
      subjectIndex === objectIndex
        ? []
        : PREDICATES.filter((predicate) => relationHolds(predicate, subject, object) === true).map((predicate) => ({
            subject: subjectIndex,
            predicate,
            object: objectIndex,
          })),
    ),
  );
}
