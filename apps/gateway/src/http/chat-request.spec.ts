import { expect, it } from 'vitest';
import { requestId } from '@essaim/core';
import { type ChatMessage } from '@essaim/tokenizer';
import { model } from '../../test/model.ts';
import { parseChatRequest } from './chat-request.ts';

it('hands a conversation to the template in the words that templates know', () => {
  let seen: readonly ChatMessage[] = [];
  const render = (messages: readonly ChatMessage[]): string => {
    seen = messages;
    return 'Bonjour';
  };
  const messages = [{ role: 'developer', content: 'Sois bref.' }, { role: 'user', content: [{ type: 'text', text: 'Bonjour' }] }];
  parseChatRequest({ model: 'petit', messages }, requestId('r'), { model: { ...model, chatTemplate: { addSpecialTokens: false, render } }, newSeed: () => 1n });
  expect(seen).toEqual([{ role: 'system', content: 'Sois bref.' }, { role: 'user', content: 'Bonjour' }]);
});
