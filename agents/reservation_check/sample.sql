CREATE TABLE reservations (
  code TEXT PRIMARY KEY, guest TEXT NOT NULL, check_in DATE NOT NULL, check_out DATE NOT NULL, room TEXT NOT NULL
);
INSERT INTO reservations VALUES
  ('HTL-1001', 'María José Muñoz Ávila', date('now'), date('now', '+3 days'), '204'),
  ('HTL-1002', 'Søren Müller', date('now'), date('now', '+1 day'), '112'),
  ('HTL-1003', 'Óscar Núñez', date('now'), date('now', '+5 days'), '318'),
  ('HTL-1004', 'Zoë O''Connor', date('now', '+1 day'), date('now', '+4 days'), '121'),
  ('HTL-1005', 'Lucía Inés Benítez Solís', date('now'), date('now', '+2 days'), '305'),
  ('HTL-1006', 'Sofía García', date('now', '+30 days'), date('now', '+33 days'), '410'),
  ('HTL-1007', 'Juan Sebastián Villavicencio Echeverría', date('now', '-1 day'), date('now', '+2 days'), '207');
