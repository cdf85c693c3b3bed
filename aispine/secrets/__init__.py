"""What is kept encrypted and opened only where it is used."""
