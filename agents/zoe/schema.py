"""The fields that Zoe asks for when her config names none: those of a credit application."""

from typing import Any, Final

CREDIT_APPLICATION: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["full_name", "email", "monthly_income", "amount", "term_months"],
    "properties": {
        "full_name": {
            "type": "string",
            "minLength": 3,
            "title": {"en": "full name", "es": "nombre completo"},
            "aliases": ["name", "nombre", "nombre_completo", "applicant", "applicant_name", "solicitante"],
        },
        "document_id": {
            "type": "string",
            "minLength": 5,
            "title": {"en": "identity document", "es": "documento de identidad"},
            "aliases": ["dni", "cedula", "passport", "pasaporte", "documento", "id_number"],
        },
        "email": {
            "type": "string",
            "format": "email",
            "title": {"en": "e-mail", "es": "correo electrónico"},
            "aliases": ["e-mail", "mail", "correo", "correo_electronico"],
        },
        "phone": {
            "type": "string",
            "format": "phone",
            "title": {"en": "phone", "es": "teléfono"},
            "aliases": ["telefono", "movil", "celular", "mobile"],
        },
        "age": {
            "type": "integer",
            "minimum": 18,
            "maximum": 100,
            "title": {"en": "age", "es": "edad"},
            "aliases": ["edad"],
        },
        "monthly_income": {
            "type": "number",
            "minimum": 0,
            "title": {"en": "monthly income", "es": "ingreso mensual"},
            "aliases": ["income", "ingreso", "ingresos", "ingreso_mensual", "ingresos_mensuales", "salary", "salario"],
        },
        "monthly_debt": {
            "type": "number",
            "minimum": 0,
            "title": {"en": "monthly debt payments", "es": "pago mensual de deudas"},
            "aliases": ["debt", "debts", "deuda", "deudas", "deuda_mensual", "existing_debt"],
        },
        "amount": {
            "type": "number",
            "minimum": 1,
            "title": {"en": "amount", "es": "monto"},
            "aliases": ["monto", "loan_amount", "credit_amount", "importe", "amount_requested", "requested_amount"],
        },
        "term_months": {
            "type": "integer",
            "minimum": 1,
            "maximum": 480,
            "title": {"en": "term in months", "es": "plazo en meses"},
            "aliases": ["term", "plazo", "plazo_meses", "months", "meses"],
        },
    },
}
