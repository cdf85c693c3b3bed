"""Messaging channels: WhatsApp and Telegram behind one protocol, what they tell and what is sent over them."""
