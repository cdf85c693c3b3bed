"""Guests of a hotel who send pictures of specimen documents to `kyc_onboarding` over a stand-in for WhatsApp.

The demo shows six of them at once; the measures of the identity check play many. What each outcome has to be is known.
"""
