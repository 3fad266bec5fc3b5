import { expect, it } from 'vitest';
import { requestId } from '@essaim/core';
import { type ChatTemplate, type Conversation } from '@essaim/tokenizer';
import { model } from '../../test/model.ts';
import { parseChatRequest } from './chat-request.ts';

it('hands a conversation to the template in the words that templates know', () => {
  let seen: Conversation | null = null;
  const render: ChatTemplate['render'] = (conversation) => {
    seen = conversation;
    return ['Bonjour'];
  };
  const messages = [{ role: 'developer', content: 'Sois bref.' }, { role: 'user', content: [{ type: 'text', text: 'Bonjour' }] }];
  parseChatRequest({ model: 'petit', messages }, requestId('r'), { model: { ...model, chatTemplate: { render, readAnswer: null, onlyCalls: null } }, newSeed: () => 1n });
  expect(seen).toMatchObject({ messages: [{ role: 'system', content: 'Sois bref.' }, { role: 'user', content: 'Bonjour' }] });
});
