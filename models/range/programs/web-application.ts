/**
 * A device's web application as careless firmware ships it: queries glued together from the address line, answers that
 * repeat what was asked. It is the target of the injection scenarios and really injectable.
 */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(':memory:');
database.exec('create table readings (id integer primary key, name text, value text)');
database.exec('create table users (id integer primary key, name text, password text)');
database.exec(`insert into users (name, password) values ('admin', 'k3ttle'), ('guest', 'guest')`);
const insert = database.prepare('insert into readings (name, value) values (?, ?)');
for (let index = 0; index < 200; index++) insert.run(`reading ${index}`, 'v'.repeat(20 + (index % 60)));
const comments: string[] = [];

function answer(url: URL): string {
  if (url.pathname.endsWith('/reading')) {
    return JSON.stringify(
      database.prepare(`select name, value from readings where id = ${url.searchParams.get('id') ?? '1'}`).all(),
    );
  }
  if (url.pathname.endsWith('/login')) {
    const name = url.searchParams.get('user') ?? '';
    const rows = database.prepare(`select name from users where name = '${name}' and password = ''`).all();
    return rows.length > 0 ? 'welcome' : 'wrong name or password';
  }
  if (url.pathname.endsWith('/comment')) {
    comments.push(url.searchParams.get('text') ?? '');
    if (comments.length > 40) comments.shift();
    return `<html><body>${comments.join('<br>')}</body></html>`;
  }
  const wanted = url.searchParams.get('q') ?? '';
  const rows = database.prepare(`select name, value from readings where name like '%${wanted}%' limit 50`).all();
  return `<html><body>results for ${wanted}: ${JSON.stringify(rows)}</body></html>`;
}

createServer((request, response) => {
  try {
    response.end(answer(new URL(request.url ?? '/', 'http://x')));
  } catch (error) {
    response.statusCode = 500; // as careless firmware does: the database's own words
    response.end(String(error));
  }
}).listen(8080, '127.0.0.1');
