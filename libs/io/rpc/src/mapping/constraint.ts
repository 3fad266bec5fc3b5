import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError, type Constraint } from '@essaim/core';
import { type workerV1 } from '@essaim/contracts';
import { required } from './fields.ts';

type WireConstraint = MessageInitShape<typeof workerV1.ConstraintSchema>;

export function toWireConstraint(constraint: Constraint): WireConstraint {
  switch (constraint.kind) {
    case 'json object':
      return { kind: { case: 'jsonObject', value: {} } };
    case 'json schema':
      return { kind: { case: 'jsonSchema', value: constraint.schema } };
    case 'regex':
      return { kind: { case: 'regex', value: constraint.pattern } };
    case 'grammar':
      return { kind: { case: 'grammar', value: constraint.ebnf } };
    case 'text':
      return { kind: { case: 'text', value: constraint.text } };
    case 'token':
      return { kind: { case: 'token', value: constraint.id } };
    case 'sequence':
      return { kind: { case: 'sequence', value: { constraints: constraint.parts.map(toWireConstraint) } } };
    case 'choice':
      return { kind: { case: 'choice', value: { constraints: constraint.options.map(toWireConstraint) } } };
    case 'repeat':
      return { kind: { case: 'repetition', value: { item: toWireConstraint(constraint.item), min: constraint.min, max: constraint.max } } };
  }
}

/** Fails with `invalid_argument` for a kind that this version does not know. */
export function fromWireConstraint({ kind }: workerV1.Constraint): Constraint {
  switch (kind.case) {
    case 'jsonObject':
      return { kind: 'json object' };
    case 'jsonSchema':
      return { kind: 'json schema', schema: kind.value };
    case 'regex':
      return { kind: 'regex', pattern: kind.value };
    case 'grammar':
      return { kind: 'grammar', ebnf: kind.value };
    case 'text':
      return { kind: 'text', text: kind.value };
    case 'token':
      return { kind: 'token', id: kind.value };
    case 'sequence':
      return { kind: 'sequence', parts: kind.value.constraints.map(fromWireConstraint) };
    case 'choice':
      return { kind: 'choice', options: kind.value.constraints.map(fromWireConstraint) };
    case 'repetition':
      return { kind: 'repeat', item: fromWireConstraint(required(kind.value.item, 'item')), min: kind.value.min, max: kind.value.max };
    case undefined:
      throw new AppError('invalid_argument', 'a constraint is of an unknown kind: the other side runs another version');
  }
}
